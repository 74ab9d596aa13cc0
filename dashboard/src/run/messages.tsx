import type { MessageView } from "../../../src/lens/messages.ts";
import { Value } from "../parts/value.tsx";

/** What was said to a model and what it said, as a conversation. */
export function Messages({ of }: { readonly of: readonly MessageView[] }) {
  return (
    <section>
      <h3>Messages</h3>
      <ol className="messages">
        {of.map((message, i) => {
          const who = whoOf(message);
          return (
            // biome-ignore lint/suspicious/noArrayIndexKey: messages are only ever added at the end
            <li key={i} className={`message ${message.direction} ${message.role}`}>
              <p className="who">{who}</p>
              <Value of={message.text} label={who} />
            </li>
          );
        })}
      </ol>
    </section>
  );
}

function whoOf({ direction, role, kind, tool, failed }: MessageView): string {
  switch (kind) {
    case "tool-call":
      return `${role} calls ${tool}`;
    case "tool-result":
      return failed ? `${tool} failed` : `${tool} answers`;
    case "reasoning":
      return "the model thinks";
    default:
      return direction === "from" ? "the model answers" : role;
  }
}
