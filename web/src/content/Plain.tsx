/** What is not set as markdown, with the reason. */
import { Component, type ReactNode } from "react";
import { useWords } from "~/i18n";

export function Plain({ text }: { text: string }) {
  const { content: words } = useWords();
  return (
    <>
      <div className="plain" dir="auto">
        {text}
      </div>
      <p className="note">{words.asPlainText}</p>
    </>
  );
}

/** No text may bring the page down, whatever a parser thinks of it. */
export class PlainIfFailed extends Component<{ text: string; children: ReactNode }, { failed: boolean }> {
  override state = { failed: false };
  static getDerivedStateFromError = () => ({ failed: true });
  override render = () => (this.state.failed ? <Plain text={this.props.text} /> : this.props.children);
}
