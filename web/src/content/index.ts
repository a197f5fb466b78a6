/** What was said, as elements: text in, elements out. */
export { ContentParts } from "./ContentParts";
export { Markdown } from "./Markdown";
export { PlainText } from "./PlainText";
export { Reasoning } from "./Reasoning";
export { ToolCalls } from "./ToolCalls";
