import { expect, it } from "vitest";
import { renderToStaticMarkup } from "react-dom/server";
import type { Content } from "~/api/types";
import { ContentParts, PlainText, Reasoning, ToolCalls } from ".";

const content: Content = [
  { type: "text", text: "see" },
  { type: "image_url", image_url: { url: "https://e.com/i.png" } },
  { type: "image_url", image_url: { url: "data:image/png;base64,iVBORw0K" } },
];

it("shows a user's text as it was typed, with its addresses", () => {
  const html = renderToStaticMarkup(<PlainText text={"**a**\n  b <i> (https://e.com/x_(y)), http://e.com/z。后 javascript:alert(1)"} />);
  expect(html).toContain("**a**\n  b &lt;i&gt; (");
  expect(html).toContain('href="https://e.com/x_(y)"');
  expect(html).toContain('href="http://e.com/z"');
  expect(html.match(/<a /g)).toHaveLength(2);
});

it("shows images that were sent, and asks before it fetches one", () => {
  const html = renderToStaticMarkup(<ContentParts content={content} />);
  expect(html).toContain("Load image from e.com");
  expect(html.match(/<img /g)).toHaveLength(1);
});

it("folds reasoning and tool calls", () => {
  expect(renderToStaticMarkup(<Reasoning text="secret" streaming={false} durationMs={12_400} />)).toMatch(/aria-expanded="false".*Thought for 12 s/);
  expect(renderToStaticMarkup(<Reasoning text="secret" streaming durationMs={3000} />)).toContain("Thinking… 3 s");
  const calls = [{ id: "1", name: "search", arguments: '{"q":1}' }];
  const folded = renderToStaticMarkup(<ToolCalls calls={calls} results={{}} streaming={false} />);
  expect(folded).toContain("Waiting for its result");
  expect(folded).not.toContain("<pre");
});
