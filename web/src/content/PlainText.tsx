/** Text as its writer typed it: nothing is markup, and addresses can be followed. */
import "./content.css";
import { Link } from "./Link";
import { safeHref } from "./links";

const ADDRESS = /(https?:\/\/[^\s<>"'`“”‘’「」『』【】《》（）。，、；：！？]{1,2000})/;

/** An address without the punctuation of the sentence around it; a bracket belongs to it if it was opened in it. */
function addressIn(text: string): string {
  const address = text.replace(/[.,;:!?*_~\]}]+$/, "");
  const unopened = address.endsWith(")") && address.split(")").length > address.split("(").length;
  return unopened ? addressIn(address.slice(0, -1)) : address;
}

export function PlainText({ text }: { text: string }) {
  return (
    <div className="plain" dir="auto">
      {text.split(ADDRESS).map((part, index) => {
        if (index % 2 === 0) return part;
        const address = addressIn(part);
        return [
          <Link key={index} href={safeHref(address)} text={address}>
            {address}
          </Link>,
          part.slice(address.length),
        ];
      })}
    </div>
  );
}
