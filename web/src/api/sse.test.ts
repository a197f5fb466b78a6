import { expect, it } from "vitest";
import { type ServerEvent, splitter } from "./sse";

const stream = ': hello\n\nid: 1.1\nevent: message.delta\ndata: {"text":"你"}\n\nid: 1.2\ndata: {}\r\n\r\nid: 1.3\nevent: cut';
const whole: ServerEvent[] = [
  { id: "1.1", name: "message.delta", data: '{"text":"你"}' },
  { id: "1.2", name: "message", data: "{}" },
];

it("gives the same events wherever the stream was cut", () => {
  for (let size = 1; size <= stream.length; size++) {
    const got: ServerEvent[] = [];
    const feed = splitter((event) => got.push(event));
    for (let at = 0; at < stream.length; at += size) feed(stream.slice(at, at + size));
    expect(got).toEqual(whole);
  }
});
