/** A small world for pictures: conversations as people have them. */

const beijing = [
  "国庆后想带父母去北京玩三天，他们走不了太多路，帮我排个行程。",
  `国庆之后人少、天气也好，很适合。三天都按“上午一个重点，下午轻松”来排：

| 日期 | 上午 | 下午 | 交通 |
|---|---|---|---|
| 第一天 | **故宫**（午门进，神武门出） | 景山公园俯瞰全景 | 地铁 1 号线天安门东站 |
| 第二天 | **慕田峪长城**，缆车上下 | 回城休息，晚上去前门 | 包车，单程约 1.5 小时 |
| 第三天 | **颐和园**，乘船游昆明湖 | 收拾行李返程 | 地铁 4 号线北宫门站 |

出发前要记得：

- **故宫周一闭馆**（法定节假日除外），只能实名网上预约，门票提前七天放出，热门日期很快约满。
- 父母满 60 周岁的话，带上身份证，不少景点有**半价或免票**。
- 十月早晚温差大，长城上风也大，外套一定要带。

要不要我再把每天的午饭地点也排进去？`,
];

const rust = [
  "Why does this not compile?\n\n```rust\nfn longest(a: &str, b: &str) -> &str {\n    if a.len() >= b.len() { a } else { b }\n}\n```",
  `The compiler says \`E0106: missing lifetime specifier\`. The function returns a reference, and nothing in its signature says **which argument it borrows from**: it may be \`a\` or \`b\`, decided at run time.

Name a lifetime and use it for all three:

\`\`\`rust
fn longest<'a>(a: &'a str, b: &'a str) -> &'a str {
    if a.len() >= b.len() { a } else { b }
}
\`\`\`

Read it as a promise to the caller: *the result lives no longer than the shorter of the two arguments.* It changes nothing about how long anything lives; it only lets the borrow checker see what was true all along:

\`\`\`rust
let a = String::from("a long string");
let result;
{
    let b = String::from("short");
    result = longest(&a, &b);
}
println!("{result}"); // error[E0597]: \`b\` does not live long enough
\`\`\`

Elision covers the common case of one input reference, which is why you rarely have to write this.`,
];

const basel = [
  "Why is 1 + 1/4 + 1/9 + … finite? I know that the harmonic series is not.",
  `Because squares grow fast enough to be caught by a sum that telescopes. For $k \\ge 2$

$$\\frac{1}{k^2} < \\frac{1}{k(k-1)} = \\frac{1}{k-1} - \\frac{1}{k},$$

and on the right all but the ends cancel:

$$\\sum_{k=1}^{n} \\frac{1}{k^2} < 1 + \\left(1 - \\frac{1}{n}\\right) < 2.$$

The partial sums rise and stay below $2$, so they converge. The harmonic series has no such ceiling: grouped in blocks from $2^m + 1$ to $2^{m+1}$, each block adds at least $\\tfrac{1}{2}$.

Euler found the value in 1734: $\\sum 1/k^2 = \\pi^2/6 \\approx 1.645$.`,
];

const migration = {
  message: "Draft a plan for moving our orders table to a partitioned one, without downtime.",
  before: `Here is a plan in four steps; each can be stopped and undone on its own.

1. **Create** \`orders_new\`, partitioned by month on \`created_at\`. The primary key has to contain the partition key, so it becomes \`(id, created_at)\`.
2. **Write to both.** A trigger on \`orders\` copies every insert, update and delete, from now on.
3. **Backfill** in batches of 5,000 rows, oldest first, with a pause when replication lags:

\`\`\`sql
INSERT INTO orders_new
SELECT * FROM orders
WHERE id > $1 ORDER BY id LIMIT 5000
ON CONFLICT DO NOTHING;
\`\`\`

4. **Swap** the names in one short transaction`,
  after: ": rename `orders` to `orders_old` and `orders_new` to `orders`, drop the trigger, and keep the old table for a week, in case a report still reads it.",
  queued: ["Which locks does step 4 take, and for how long?", "And how do we check that both tables agree?"],
};

const compared = {
  message: "In two sentences: what is an idempotency key for?",
  models: {
    "swift-mini": "It lets a client **retry safely**: the server remembers the key and answers a repeat with the first result. Without it, a lost answer leaves you to choose between doing nothing and doing it twice.",
    "orca-large": "An idempotency key names *one intended operation*, so that however many times the request arrives, it takes effect once. The server stores it together with the outcome, in the same transaction.",
    "jade-chat": "It is a unique value that the client makes and sends with a request which changes something, such as a payment. If the network fails and the client sends again, the server sees the same key and does not charge twice.",
  },
};

const small = [
  ["会议纪要：第三季度复盘", "把这三条整理成纪要的开头：上线提前一周；退款率下降；客服仍缺人。", "**第三季度复盘纪要**\n\n本季度新版本提前一周上线，退款率较上季度下降；客服人手仍然不足，列为下季度首要事项。"],
  ["Names for a bakery", "Three names for a small bakery by the sea?", "*Salt & Crumb*, *The Tidal Loaf* and *Harbour Rye*."],
  ["Regex for ISO dates", "A regex for dates like 2026-11-23?", "`^\\d{4}-(0[1-9]|1[0-2])-(0[1-9]|[12]\\d|3[01])$`: it checks the shape, not whether the day exists in that month."],
];

export const words = { migration, compared };

/** An answer at the pace and price of a quick model. */
const said = (text) => [{ text, chunk: 5, everyMs: 6 }, { usage: { prompt_tokens: 24, completion_tokens: Math.ceil(text.length / 3.6) } }];

/** Makes the sessions, and gives their ids by name. One of them is still being answered, slowly. */
export async function makeWorld({ server, upstream }) {
  const sessions = {};
  const talk = async (name, title, ...pairs) => {
    sessions[name] = await server.session(title);
    for (const [question, answer] of pairs) {
      upstream.on(question, said(answer));
      await server.say(sessions[name], question);
    }
  };
  for (const [index, [title, question, answer]] of small.entries()) await talk(`small${index}`, title, [question, answer]);
  await talk("basel", "Why is the Basel sum finite?", basel);

  upstream.on("invoice", [{ status: 429, body: { error: { message: "Rate limit reached for requests" } }, headers: { "x-request-id": "req_7f3a19c2", "retry-after": "120" } }]);
  await talk("failed", "Invoice reminder");
  await server.api("POST", "/chat", { session_id: sessions.failed, message: "Write a friendly reminder for an invoice that is two weeks late." }, { refused: true });

  await talk("rust", "Rust: missing lifetime specifier", rust);
  await talk("beijing", "国庆后北京三日游", beijing);

  upstream.on(compared.message, (request) => said(compared.models[request.body.model]));
  for (const model of Object.keys(compared.models)) {
    await server.config(upstream, { id: model, name: model, model });
    sessions[model] = await server.session(`Idempotency keys: ${model}`, { config_id: model });
    await server.say(sessions[model], compared.message);
  }

  upstream.on(migration.message, [{ text: migration.before, chunk: 20, everyMs: 2 }, { text: migration.after, chunk: 1, everyMs: 1000 }]);
  await talk("migration", "Partitioning the orders table");
  await server.say(sessions.migration, migration.message, { wait: false });
  for (const message of migration.queued) await server.say(sessions.migration, message, { wait: false });
  return sessions;
}
