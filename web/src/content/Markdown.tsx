/** What a model wrote, as it grows. Finished blocks keep their nodes: while later text comes, and when it ends. */
import "./content.css";
import { memo, useRef, useState } from "react";
import { type Block, splitter } from "./blocks";
import { BLOCK_COST_MAX, TEXT_CHARS_MAX, TEXT_COST_MAX } from "./bounds";
import { CodeBlock } from "./CodeBlock";
import { MarkdownBlock } from "./MarkdownBlock";
import { Maths } from "./Maths";
import { Plain, PlainIfFailed } from "./Plain";
import { isDue, settled, settledCode } from "./tail";

export function Markdown({ text, streaming }: { text: string; streaming: boolean }) {
  const [blocksOf] = useState(splitter);
  const blocks = blocksOf(text.length > TEXT_CHARS_MAX ? text.slice(0, TEXT_CHARS_MAX) : text);
  const shown = affordable(blocks);
  const rest = text.slice(blocks[shown.length]?.at ?? TEXT_CHARS_MAX);
  const definitions = definitionsIn(shown);
  return (
    <div className="content">
      <PlainIfFailed text={text}>
        {shown.map((block, index) => (
          <BlockView key={index} block={block} growing={streaming && !rest && index === shown.length - 1} definitions={definitionsFor(block, definitions)} />
        ))}
        {rest && <Plain text={rest} />}
      </PlainIfFailed>
    </div>
  );
}

function affordable(blocks: Block[]): Block[] {
  let cost = 0;
  const end = blocks.findIndex((block) => {
    cost += block.cost > BLOCK_COST_MAX ? 1 : block.cost;
    return cost > TEXT_COST_MAX;
  });
  return end === -1 ? blocks : blocks.slice(0, end);
}

const BlockView = memo(({ block, growing, definitions }: { block: Block; growing: boolean; definitions: string }) => {
  const source = useThinned(block, growing);
  if (block.kind === "code") {
    const open = growing && !block.closed;
    return <CodeBlock code={open ? settledCode(block.code) : block.code} language={block.language} closed={!open} />;
  }
  if (block.cost > BLOCK_COST_MAX) return <Plain text={block.source} />;
  if (block.kind === "maths" && (block.closed || growing)) return <Maths tex={block.tex} display pending={!block.closed} />;
  return <MarkdownBlock source={(growing ? settled(source) : source) + definitions} growing={growing} />;
});

function useThinned(block: Block, growing: boolean): string {
  const shown = useRef(block.source);
  if (!growing || isDue(shown.current, block)) shown.current = block.source;
  return shown.current;
}

function definitionsIn(blocks: Block[]): Map<string, string> {
  return new Map(blocks.flatMap((block) => (block.kind === "markdown" ? block.defines : [])).toReversed());
}

const DEFINITIONS_CHARS_MAX = 1000;

/** What a block refers to and others define, to be read with it. Of a note it need only know that there is one: a number always means one. */
function definitionsFor(block: Block, definitions: Map<string, string>): string {
  if (block.kind !== "markdown") return "";
  const own = new Set(block.defines.map(([label]) => label));
  let lines = "";
  for (const label of block.refers) {
    const note = label.startsWith("^") && (definitions.has(label) || /^\^\d+$/.test(label));
    const line = own.has(label) ? undefined : note ? `[${label}]:` : definitions.get(label);
    if (line && lines.length + line.length < DEFINITIONS_CHARS_MAX) lines += `\n${line}`;
  }
  return lines && `\n${lines}`;
}
