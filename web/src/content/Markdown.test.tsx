import { expect, it } from "vitest";
import { renderToStaticMarkup } from "react-dom/server";
import { Markdown } from "./Markdown";

const html = (text: string) => renderToStaticMarkup(<Markdown text={text} streaming={false} />);

it("sets Chinese emphasis, strikes and addresses as they are meant", () => {
  const set = html("**中文。**后文 ~~删。~~后 https://x.y/z。中文 20~25");
  expect(set).toContain("<strong>中文。</strong>后文");
  expect(set).toContain("<del>删。</del>后");
  expect(set).toContain(">https://x.y/z</a>。中文 20~25");
});

it("tells maths from prices", () => {
  const maths = (text: string) => Array.from(html(text).matchAll(/class="maths[^>]*>([^<]*)</g), (match) => match[1]);
  expect(maths("$n$, $x^2$, $$y$$ and \\(a+b\\) or \\[c\\\\[2pt]d\\]")).toEqual(["n", "x^2", "y", "a+b", "c\\\\[2pt]d"]);
  expect(maths("$5 and $10, $3-$4, US$5, $20 for $x$, `$a$`, $5/月，共$7 or \\$z\\$")).toEqual(["x"]);
  expect(maths("- item\n\n  $$\n  z\n  $$")).toEqual(["z"]);
});

it("renders no HTML but line breaks", () => {
  const set = html('<script>alert(1)</script>\n\nx <img src=x onerror="alert(1)"> a<br>b\n\n<div onclick="x">\n\n- <iframe src="//e.com">');
  expect(set).not.toMatch(/<(script|img|iframe|div on)/);
  expect(set).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
  expect(set).toContain("a<br/>");
});

it("follows only addresses that lead out of the page", () => {
  for (const href of ["javascript:alert(1)", "JaVaScRiPt:alert(1)", "java&#10;script:alert(1)", "data:text/html,x", "vbscript:x", "/sign-out", "//evil.com", "#a", "blob:x", "file:///etc/passwd"]) {
    expect(html(`[a](${href})`), href).not.toContain("<a");
  }
  expect(html("[a](https://e.com/b)")).toContain('<a href="https://e.com/b" target="_blank" rel="noopener noreferrer nofollow"');
  expect(html("[https://good.com/login](https://evil.com)")).toContain('title="evil.com"');
  expect(html("[www.good.com](https://good.com/a)")).not.toContain("title=");
  expect(html("<javascript:alert(1)>")).not.toContain("<a");
});

it("fetches no image by itself", () => {
  expect(html("![pic](https://e.com/i.png)")).not.toContain("<img");
  expect(html("![pic](https://e.com/i.png)")).toContain("Load image from e.com");
  expect(html("![pic](//e.com/i.png) ![p](/i.png)")).not.toContain("<img");
  expect(html("![p](data:image/svg+xml;base64,PHN2Zz4=)")).not.toContain("<img");
  expect(html("![p](data:image/png;base64,iVBORw0K)")).toContain('<img src="data:image/png;base64,iVBORw0K"');
  expect(html("[![b](https://e.com/b.png)](https://f.com)")).not.toMatch(/<a[^>]*><button/);
});

it("finds definitions and notes in other blocks", () => {
  const long = "Text that fills a block. ".repeat(30);
  const set = html(`See [the page][ref] and a note[^1].\n\n${long}\n\n${long}\n\n[ref]: https://e.com/r\n\n[^1]: The *note*.`);
  expect(set).toContain('<a href="https://e.com/r"');
  expect(set).toContain("note<sup>1</sup>");
  expect(set).toContain("The <em>note</em>.");
});

it("shows what would reorder code, and says what it is", () => {
  expect(html("`a\u202eb`")).toContain('title="U+202E"');
  expect(html("```\na\u2066b\n```")).toContain('title="U+2066"');
  expect(html("a\u202eb")).toContain('<p dir="auto">');
});

it("gives code its language, and a name to what scrolls", () => {
  expect(html("```Rust title=x\nfn\n```")).toContain('aria-label="Code in Rust"');
  expect(html("```<b>\nfn\n```")).toContain('aria-label="Code"');
  expect(html("| a |\n|---|\n| b |")).toContain('role="group" aria-label="Table" tabindex="0"');
});

it("shows as plain text what is too much, and says so", () => {
  const set = html(`Before.\n\n${"**a**".repeat(16_000)}`);
  expect(set).toContain("**a****a**");
  expect(set).toContain("Shown as plain text");
  expect(html("a ".repeat(200_000))).toContain("Shown as plain text");
});
