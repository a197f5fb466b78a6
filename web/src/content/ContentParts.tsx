/** What a user sent: text, or text and images. */
import type { Content } from "~/api/types";
import { Image } from "./Image";
import { PlainText } from "./PlainText";

export function ContentParts({ content }: { content: Content }) {
  if (typeof content === "string") return <PlainText text={content} />;
  return (
    <div className="flex flex-col items-start gap-2">
      {content.map((part, index) => (part.type === "text" ? <PlainText key={index} text={part.text} /> : <Image key={index} src={part.image_url.url} />))}
    </div>
  );
}
