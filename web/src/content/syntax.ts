/** What turns the source of a block into a tree: GitHub's markdown, careful with CJK, money and HTML. */
import { cjk } from "@streamdown/cjk";
import type { Element, ElementContent, Root as Hast } from "hast";
import type { Nodes, Parents, PhrasingContent, Root, RootContent } from "mdast";
import type { Options } from "react-markdown";
import remarkGfm from "remark-gfm";
import type { VFile } from "vfile";
import { remarkDollars } from "./dollars";

function each(node: Nodes, visit: (node: RootContent, parent: Parents, index: number) => RootContent | null): void {
  if (!("children" in node)) return;
  node.children.forEach((child, index) => {
    const other = visit(child, node, index);
    if (other) (node.children as RootContent[])[index] = other;
    else each(child, visit);
  });
}

/** HTML is never markup here: it is shown as it was written, but for `<br>`, which table cells cannot do without. */
const remarkPlainHtml = () => (tree: Root) =>
  each(tree, (node, parent) => {
    if (node.type !== "html") return null;
    const inline: PhrasingContent = /^<br\s*\/?>$/i.test(node.value) ? { type: "break" } : { type: "text", value: node.value };
    const flow = parent.type === "root" || parent.type === "blockquote" || parent.type === "listItem" || parent.type === "footnoteDefinition";
    return flow ? { type: "paragraph", children: [inline], data: { hProperties: { className: ["html"] } } } : inline;
  });

/** `$$…$$` within a line is set as a display, as nearly every model means it. */
const remarkDisplay = () => (tree: Root, file: VFile) =>
  each(tree, (node) => {
    if ((node.type as string) !== "inlineMath") return null;
    const mark = String(file.value).slice(node.position?.start.offset).slice(0, 2);
    if (mark === "$$" || mark === "\\[") node.data = { ...node.data, hProperties: { className: ["math-display"] } } as typeof node.data;
    return null;
  });

const DIRECTED = new Set(["p", "h1", "h2", "h3", "h4", "h5", "h6", "ul", "ol", "li", "blockquote", "th", "td"]);

/** Each block finds its own direction, and isolates it from those beside it. */
const rehypeDirection = () => (tree: Hast) => {
  const walk = (node: Hast | ElementContent | Hast["children"][number]) => {
    if (node.type === "element" && DIRECTED.has(node.tagName)) node.properties.dir = "auto";
    if ("children" in node) node.children.forEach(walk);
  };
  walk(tree);
};

const sup = (label: string): Element => ({ type: "element", tagName: "sup", properties: {}, children: [{ type: "text", value: label }] });

// Its autolinks end where Chinese punctuation begins; its `~` must be doubled, since 20~25 is a range.
const [autolinks, strikethrough] = cjk.remarkPluginsAfter as [() => void, () => void];

export const syntax = {
  remarkPlugins: [
    ...cjk.remarkPluginsBefore,
    [remarkGfm, { singleTilde: false }],
    autolinks,
    [strikethrough, { singleTilde: false }],
    remarkDollars,
    remarkPlainHtml,
    remarkDisplay,
  ],
  rehypePlugins: [rehypeDirection],
  remarkRehypeOptions: {
    handlers: {
      // A note stands where it was written: blocks know nothing of each other, so there is no list of notes.
      footnoteReference: (_, node: { label?: string; identifier: string }) => sup(node.label ?? node.identifier),
      footnoteDefinition: (state, node) =>
        node.children.length
          ? { type: "element", tagName: "aside", properties: {}, children: [sup(node.label ?? node.identifier), ...state.all(node)] }
          : undefined,
    },
  },
} satisfies Options;
