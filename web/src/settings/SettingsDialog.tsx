/** What a user prefers in this browser, and what server this is. */
import { useQuery } from "@tanstack/react-query";
import { ExternalLink } from "lucide-react";
import { api, ask } from "~/api/client";
import { closeDialog, useDialogs } from "~/app/dialog";
import { useWords } from "~/i18n";
import { attempt } from "~/session/actions";
import { Button } from "~/ui/Button";
import { Dialog } from "~/ui/Dialog";
import { Segmented } from "./Segmented";
import { signInState, signOut } from "./session";
import { useSettings } from "./store";

export function SettingsDialog() {
  const words = useWords().settings;
  const open = useDialogs((dialogs) => dialogs.open === "settings");
  return (
    <Dialog open={open} onOpenChange={(shown) => !shown && closeDialog()} title={words.title}>
      <div className="flex flex-col gap-5 pt-2" data-settings="">
        <Preferences />
        <Server />
      </div>
    </Dialog>
  );
}

function Preferences() {
  const words = useWords().settings;
  const { language, theme, enterSends, titles } = useSettings();
  return (
    <>
      <Segmented
        label={words.language}
        value={language}
        choices={[["en", "English"], ["zh-CN", "中文"]]}
        onChange={(language) => useSettings.setState({ language })}
      />
      <Segmented
        label={words.theme}
        value={theme}
        choices={[["system", words.themes.system], ["light", words.themes.light], ["dark", words.themes.dark]]}
        onChange={(theme) => useSettings.setState({ theme })}
      />
      <Segmented
        label={words.enter}
        hint={words.enterHint(enterSends)}
        value={enterSends ? "enter" : "modified"}
        choices={[["enter", words.enterSends], ["modified", words.enterBreaks]]}
        onChange={(choice) => useSettings.setState({ enterSends: choice === "enter" })}
      />
      <Segmented
        label={words.titles}
        hint={words.titlesHint(titles)}
        value={titles}
        choices={[["model", words.titlesByModel], ["first_line", words.titlesByFirstLine]]}
        onChange={(titles) => useSettings.setState({ titles })}
      />
    </>
  );
}

function Server() {
  const words = useWords().settings;
  const health = useQuery({ queryKey: ["health"], queryFn: () => ask(api.GET("/health")) });
  return (
    <section aria-label={words.server} className="flex flex-col gap-3 border-t border-line pt-4 text-sm">
      <div className="flex flex-wrap items-center gap-x-4 gap-y-1">
        {health.data && <span className="text-muted">{words.version(health.data.version)}</span>}
        <OutLink href="/docs" name={words.docs} />
        <OutLink href="/openapi.json" name={words.openapi} />
      </div>
      <SignedIn />
    </section>
  );
}

function OutLink({ href, name }: { href: string; name: string }) {
  return (
    <a href={href} target="_blank" rel="noreferrer" className="inline-flex items-center gap-1 text-accent underline">
      {name}
      <ExternalLink aria-hidden className="size-3.5" />
    </a>
  );
}

function SignedIn() {
  const words = useWords().settings;
  const state = useQuery({ queryKey: ["sign-in"], queryFn: signInState, retry: false });
  if (!state.data?.required || !state.data.signed_in) return null;
  const leave = async () => {
    // A fresh page has nothing left in memory of what was shown.
    if (await attempt(signOut())) location.reload();
  };
  return (
    <div className="flex items-center gap-3">
      <span className="flex-1 text-muted">{words.signedIn}</span>
      <Button data-sign-out="" onClick={() => void leave()}>
        {words.signOut}
      </Button>
    </div>
  );
}
