/** A formula: its source, quietly, until KaTeX is here. KaTeX then owns what is inside of the element. */
import { useEffect, useLayoutEffect, useRef, useState } from "react";
import { useWords } from "~/i18n";
import { isDrawable } from "./formula";

type Draw = typeof import("./katex").draw;

let loaded: Draw | null = null;

export function Maths({ tex, display, pending = false }: { tex: string; display: boolean; pending?: boolean }) {
  const { content: words } = useWords();
  const element = useRef<HTMLSpanElement>(null);
  const [draw, setDraw] = useState<Draw | null>(() => loaded);
  const wanted = !pending && isDrawable(tex);

  useEffect(() => {
    if (!wanted || draw) return;
    let dropped = false;
    import("./katex").then(
      (module) => {
        loaded = module.draw;
        if (!dropped) setDraw(() => module.draw);
      },
      () => undefined,
    );
    return () => {
      dropped = true;
    };
  }, [wanted, draw]);

  useLayoutEffect(() => {
    const target = element.current;
    if (target) target.dataset.drawn = String(wanted && draw ? draw(tex, target, display) : false);
  }, [tex, display, draw, wanted]);

  return (
    <span ref={element} dir="ltr" className={display ? "maths maths-display" : "maths"} {...(display ? { tabIndex: 0, role: "group", "aria-label": words.maths } : {})}>
      {tex}
    </span>
  );
}
