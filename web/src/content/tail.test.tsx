import { expect, it } from "vitest";
import { renderToStaticMarkup } from "react-dom/server";
import { Markdown } from "./Markdown";

const SECTIONS = `# A heading

Some **bold text**, *slanted*, ***both***, ~~struck~~ and \`code with *stars*\` in [a link](https://example.com/a_b?c=d "title").

---8<---
**中文。**后文，~~删除。~~ 链接 https://x.y/z。中文 and ![an image](https://example.com/i.png) after.

---8<---
- one **bold** item
- two \`code\`
  1. nested [link](https://example.com)
  2. __under__ and _slanted_

---8<---
\`\`\`rust
fn main() {
    println!("**not bold** {}", 1);
}
\`\`\`

~~~
tilde
~~~

---8<---
> quoted **text**
> and \`more\`

---8<---
| a | **b** |
|---|:-:|
| 1 | \`2\` |
| **3** | [x](https://e.com) |

---8<---
1. Step

   \`\`\`js
   let x = \`a\`;
   \`\`\`

2. Two costs $5, and $x^2$ is maths.

---8<---
$$
x = 1
$$

Done[^1]. Snake_case_name and 2 * 3 * 4.

[^1]: The **note**.
`.split("---8<---\n");

const visible = (html: string) => html.replace(/<(?:code|pre)\b[^>]*>.*?<\/(?:code|pre)>/gs, "").replace(/<[^>]*>/g, "");

it.each(SECTIONS)("never shows half-open markdown, at whatever character the stream stands: %j", { timeout: 60_000 }, (section) => {
  const raw: string[] = [];
  for (let end = 1; end <= section.length; end++) {
    const shown = visible(renderToStaticMarkup(<Markdown text={section.slice(0, end)} streaming />));
    if (/\*\*|~~|`|\]\(|__|!\[|^\||\n\|/.test(shown)) raw.push(`${JSON.stringify(section.slice(Math.max(0, end - 25), end))} shows ${JSON.stringify(shown.slice(-60))}`);
  }
  expect(raw).toEqual([]);
});

it("does not show a closing fence as code while it is being written", () => {
  for (const begun of ["`", "``"]) {
    const html = renderToStaticMarkup(<Markdown text={`\`\`\`\nlet x\n${begun}`} streaming />);
    expect(html).toContain("<code>let x</code>");
  }
});
