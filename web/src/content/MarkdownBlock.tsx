/** One block of markdown. Equal source, equal elements: React leaves its nodes alone. */
import type { Element } from "hast";
import { createContext, memo, type ReactNode, useContext } from "react";
import ReactMarkdown, { type Components } from "react-markdown";
import { useWords } from "~/i18n";
import { CodeBlock } from "./CodeBlock";
import { Image } from "./Image";
import { Link } from "./Link";
import { keepSafe } from "./links";
import { Maths } from "./Maths";
import { syntax } from "./syntax";
import { unhidden } from "./unhidden";

const textIn = (node: Element | undefined): string =>
  node?.children.map((child) => (child.type === "text" ? child.value : child.type === "element" ? textIn(child) : "")).join("") ?? "";
const classesOf = (node: Element | undefined): string[] => (Array.isArray(node?.properties.className) ? node.properties.className.map(String) : []);
const hasImage = (node: Element): boolean => node.children.some((child) => child.type === "element" && (child.tagName === "img" || hasImage(child)));

function Table({ children }: { children?: ReactNode }) {
  const { content: words } = useWords();
  return (
    <div className="table-box" role="group" aria-label={words.table} tabIndex={0}>
      <table>{children}</table>
    </div>
  );
}

function Task({ checked }: { checked?: boolean | undefined }) {
  const { content: words } = useWords();
  return <input type="checkbox" checked={checked ?? false} disabled aria-label={words.task(checked ?? false)} />;
}

const Growing = createContext(false);

function Pre({ node }: { node?: Element | undefined }) {
  const growing = useContext(Growing);
  const code = node?.children.find((child) => child.type === "element");
  const classes = classesOf(code);
  const text = textIn(code);
  if (classes.includes("math-display")) return <Maths tex={text} display pending={growing} />;
  const language = classes.find((name) => name.startsWith("language-"))?.slice("language-".length) ?? "";
  return <CodeBlock code={text.replace(/\n$/, "")} language={language} closed={!growing} />;
}

const components: Components = {
  pre: ({ node }) => <Pre node={node} />,
  code: ({ node }) => {
    const classes = classesOf(node);
    if (classes.includes("math-inline") || classes.includes("math-display")) return <Maths tex={textIn(node)} display={classes.includes("math-display")} />;
    return <code dir="auto">{unhidden(textIn(node))}</code>;
  },
  a: ({ node, href, children }) => {
    if (!node || !hasImage(node)) return <Link href={href} text={textIn(node)}>{children}</Link>;
    // An image may be a button, and a button has no place in a link.
    return (
      <>
        {children} {href && <Link href={href} text="">{new URL(href).host || href}</Link>}
      </>
    );
  },
  img: ({ src, alt }) => <Image src={typeof src === "string" ? src : undefined} alt={alt} />,
  table: ({ children }) => <Table>{children}</Table>,
  input: ({ checked }) => <Task checked={checked} />,
};

export const MarkdownBlock = memo(({ source, growing }: { source: string; growing: boolean }) => (
  <Growing value={growing}>
    <ReactMarkdown {...syntax} components={components} urlTransform={keepSafe}>
      {source}
    </ReactMarkdown>
  </Growing>
));
