import { Empty } from "../parts/empty.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useTitle } from "../shell/title.ts";
import { countOf } from "../words/time.ts";
import { useInbox } from "./inbox.ts";
import { QuestionCard } from "./question-card.tsx";

/** What waits for somebody, those first that have waited longest. */
export default function InboxPage() {
  useTitle("Inbox");
  const { data, error, isPending } = useInbox();
  const items = data?.items ?? [];
  return (
    <section className="page narrow">
      <div className="page-head">
        <h1>Inbox</h1>
        <p className="muted" role="status">
          {!isPending && countOf(items.length + (data?.more ?? 0), "question")}
        </p>
      </div>
      {error !== null && <LetterBox error={error} />}
      {!isPending && error === null && items.length === 0 && (
        <Empty
          title="Nobody is asked anything"
          text="When a run needs a person, its question comes here. A pipeline asks with humanInTheLoop(…)."
        />
      )}
      {items.map((item) => (
        <QuestionCard key={`${item.runId} ${item.path} ${item.since}`} item={item} within="inbox" />
      ))}
    </section>
  );
}
