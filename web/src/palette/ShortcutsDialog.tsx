/** Every key that does something, and where. */
import { closeDialog, useDialogs } from "~/app/dialog";
import { useWords } from "~/i18n";
import { useSettings } from "~/settings/store";
import { Dialog } from "~/ui/Dialog";
import { Caps } from "./Caps";
import { type Keys, shortcuts } from "./keys";

interface Line {
  name: string;
  keys: Keys[];
}

export function ShortcutsDialog() {
  const words = useWords().palette;
  const open = useDialogs((dialogs) => dialogs.open === "shortcuts");
  const enterSends = useSettings((settings) => settings.enterSends);
  const everywhere = shortcuts.map(({ command, ...keys }) => ({ name: words.commands[command], keys: [keys] }));
  const composing: Line[] = [
    { name: words.send, keys: [enterSends ? { key: "enter" } : { key: "enter", mod: true }] },
    { name: words.lineBreak, keys: [enterSends ? { key: "enter", shift: true } : { key: "enter" }] },
    { name: words.escape, keys: [{ key: "escape" }] },
    { name: words.editLast, keys: [{ key: "arrowup" }] },
  ];
  const resizing: Line[] = [
    { name: words.resize, keys: [{ key: "arrowleft" }, { key: "arrowright" }, { key: "arrowup" }, { key: "arrowdown" }] },
    { name: words.resizeEnds, keys: [{ key: "home" }, { key: "end" }] },
  ];
  return (
    <Dialog open={open} onOpenChange={(shown) => !shown && closeDialog()} title={words.shortcutsTitle}>
      {/* Nothing in it takes the focus, so the whole does: the keyboard has to be able to scroll it. */}
      <div role="region" aria-label={words.shortcutsTitle} tabIndex={0} className="rounded-lg focus-visible:-outline-offset-2">
        <Section name={words.everywhere} lines={everywhere} />
        <Section name={words.composing} lines={composing} />
        <Section name={words.resizing} lines={resizing} />
      </div>
    </Dialog>
  );
}

function Section({ name, lines }: { name: string; lines: Line[] }) {
  return (
    <section className="pt-3">
      <h3 className="pb-1 text-xs font-medium text-muted">{name}</h3>
      <dl>
        {lines.map((line) => (
          <div key={line.name} className="flex min-h-9 items-center justify-between gap-4 border-b border-line py-1 text-sm last:border-0">
            <dt className="min-w-0">{line.name}</dt>
            <dd className="flex shrink-0 flex-wrap justify-end gap-1">
              {line.keys.map((keys) => (
                <Caps key={keys.key} keys={keys} />
              ))}
            </dd>
          </div>
        ))}
      </dl>
    </section>
  );
}
