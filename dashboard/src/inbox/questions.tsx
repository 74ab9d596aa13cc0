import { Ago } from "../parts/figures.tsx";
import { useInbox } from "./inbox.ts";
import { QuestionCard } from "./question-card.tsx";

/** What one run asks, each a line that opens its form. */
export function Questions({ runId }: { readonly runId: string }) {
  const { data } = useInbox();
  const asked = data?.items.filter((item) => item.runId === runId) ?? [];
  return asked.map((item) => {
    const { path, since, prompt, asks, assignees } = item;
    return (
      <details key={path + since} className="question-line" data-asks={path}>
        <summary>
          <strong className="first-line">{prompt.split("\n")[0] || path}</strong>
          <span className="muted">
            {asks === "event" ? "waits for an event" : `asks ${assignees?.join(", ") ?? "anybody"}`},{" "}
            <Ago at={since} />
          </span>
        </summary>
        <QuestionCard item={item} within="run" />
      </details>
    );
  });
}
