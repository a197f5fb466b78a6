/** Shown in place of everything when the server wants a key. */
import { type FormEvent, useState } from "react";
import { reconnect } from "~/api/feed";
import { queries } from "~/configs/queries";
import { useWords } from "~/i18n";
import { Button } from "~/ui/Button";
import { problemOf, refusalOf, signIn } from "./session";

export function SignIn() {
  const words = useWords().settings;
  const [key, setKey] = useState("");
  const [error, setError] = useState<string | null>(null);
  const [busy, setBusy] = useState(false);

  const submit = async (event: FormEvent) => {
    event.preventDefault();
    const problem = problemOf(key.trim());
    if (problem) return setError(words[problem]);
    setBusy(true);
    setError(null);
    try {
      await signIn(key.trim());
      reconnect();
      await queries.invalidateQueries();
    } catch (cause) {
      const said = { keyWrong: words.keyWrong, tooMany: words.tooMany, unreachable: words.unreachable, refused: words.refused(String((cause as Error).message)) };
      setError(said[refusalOf(cause)]);
    } finally {
      setBusy(false);
    }
  };

  return (
    <main className="flex h-full items-center justify-center overflow-y-auto p-4" data-sign-in="">
      <form onSubmit={(event) => void submit(event)} noValidate className="flex w-full max-w-sm flex-col gap-4 rounded-2xl border border-line bg-raised p-6">
        <h1 className="text-lg font-semibold">{words.signInTitle}</h1>
        <p className="text-sm text-muted">{words.signInAbout}</p>
        <label className="flex flex-col gap-1 text-sm font-medium">
          {words.key}
          <input
            type="password"
            name="key"
            autoComplete="off"
            spellCheck={false}
            autoFocus
            placeholder="tw_…"
            value={key}
            aria-invalid={error !== null}
            aria-describedby="sign-in-error"
            onChange={(event) => setKey(event.target.value)}
            className="rounded-lg border border-line bg-ground px-3 py-2 font-mono text-sm font-normal placeholder:text-muted aria-invalid:border-danger"
          />
        </label>
        <p id="sign-in-error" role="alert" className="text-sm text-danger empty:hidden">
          {error}
        </p>
        <Button type="submit" look="solid" className="h-9" disabled={busy}>
          {busy ? words.signingIn : words.signIn}
        </Button>
      </form>
    </main>
  );
}
