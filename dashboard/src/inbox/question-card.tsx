import { useMutation, useQueryClient } from "@tanstack/react-query";
import { Link } from "wouter";
import type { Json } from "../../../src/core/json.ts";
import type { InboxItem } from "../../../src/lens/inbox.ts";
import { Ago } from "../parts/figures.tsx";
import { SchemaForm } from "../parts/form/schema-form.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { Value } from "../parts/value.tsx";
import { pathOf, post } from "../wire/http.ts";
import "../styles/inbox.css";
import { ApprovalForm } from "./approval-form.tsx";
import { OutcomeForm } from "./outcome-form.tsx";

/** A question, what helps to decide it, and the form of its answer. */
export function QuestionCard({
  item,
  within,
}: {
  readonly item: InboxItem;
  readonly within: "inbox" | "run";
}) {
  const { runId, pipeline, path, prompt, context, assignees, since, due, answered, asks } = item;
  const client = useQueryClient();
  const { mutate, error, isPending, isSuccess } = useMutation({
    mutationFn: (data: Json) => post(`${pathOf("runs", runId)}/signals`, { path, data }),
    onSettled: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["inbox"] }),
        client.invalidateQueries({ queryKey: ["run", runId] }),
      ]),
  });
  return (
    <article className="question card" data-question={`${runId} ${path}`}>
      <p className="small muted">
        {within === "inbox" && (
          <>
            <Link href={`/runs/${encodeURIComponent(runId)}`} className="text-link mono">
              {runId}
            </Link>{" "}
            of {pipeline},{" "}
          </>
        )}
        <code>{path}</code>{" "}
        {asks === "event" ? "waits for an event" : `asks ${assignees?.join(", ") ?? "anybody"}`},{" "}
        <Ago at={since} />
        {due !== null && (
          <>
            ; goes on without an answer <Ago at={due} />
          </>
        )}
      </p>
      <div className="asked">
        <div>
          {prompt !== "" && <p className="prompt">{prompt}</p>}
          {context !== null && <Value of={context} label="What helps to decide" />}
        </div>
        <div>
          {error !== null && <LetterBox error={error} />}
          {answered !== null || isSuccess ? (
            <p role="status" className="answered">
              Answered{answered?.by ? ` by ${answered.by}` : ""}. The run goes on as soon as a process serves
              it.
            </p>
          ) : (
            <AnswerForm item={item} isPending={isPending} onAnswer={mutate} />
          )}
        </div>
      </div>
    </article>
  );
}

function AnswerForm({
  item,
  isPending,
  onAnswer,
}: {
  readonly item: InboxItem;
  readonly isPending: boolean;
  readonly onAnswer: (data: Json) => void;
}) {
  const form = { isPending, onAnswer };
  if (item.asks === "approval") return <ApprovalForm {...form} />;
  if (item.asks === "outcome") return <OutcomeForm {...form} />;
  return (
    <SchemaForm
      schema={item.schema}
      submit={item.asks === "event" ? "Send the event" : "Answer"}
      isPending={isPending}
      onSubmit={onAnswer}
    />
  );
}
