import { useQuery } from "@tanstack/react-query";
import { type Ref, useId, useState } from "react";
import { Dialog, type DialogHandle } from "../parts/dialog.tsx";
import { BudgetField } from "../parts/form/budget-field.tsx";
import { jsonIn } from "../parts/form/json-text.ts";
import { LetterBox } from "../parts/letter.tsx";
import { get, pathOf, queryOf } from "../wire/http.ts";
import { type Change, type Improvables, placeOf, textsOf } from "./forking.ts";
import { useNewRun } from "./new-run.ts";
import { useRun } from "./run.ts";

/** Starts a run that shares this one up to an operation: with another prompt, model or input, and goes to it. */
export function ForkDialog({
  ref,
  runId,
  path,
}: {
  readonly ref: Ref<DialogHandle>;
  readonly runId: string;
  readonly path: string;
}) {
  return (
    <Dialog ref={ref} title="Fork the run here">
      <ForkForm runId={runId} at={placeOf(path)} />
    </Dialog>
  );
}

function ForkForm({ runId, at }: { readonly runId: string; readonly at: string }) {
  const { data: detail } = useRun(runId);
  const { data, error } = useQuery({
    queryKey: ["improvables", runId, at],
    queryFn: ({ signal }) =>
      get<Improvables>(`${pathOf("runs", runId)}/improvables${queryOf({ at })}`, signal),
  });
  if (error !== null && data === undefined) return <LetterBox error={error} />;
  if (data === undefined || detail === undefined) return <p className="muted">Loading…</p>;
  return <Choices runId={runId} at={at} of={data} limitUsd={detail.run.limits.costUsd ?? ""} />;
}

function Choices({
  runId,
  at,
  of,
  limitUsd,
}: {
  readonly runId: string;
  readonly at: string;
  readonly of: Improvables;
  readonly limitUsd: string;
}) {
  const before = textsOf(of);
  const [texts, setTexts] = useState(before);
  const [input, setInput] = useState("");
  const [budget, setBudget] = useState(limitUsd);
  const id = useId();
  const given = input.trim() === "" ? undefined : jsonIn(input);
  const isMisfit = input.trim() !== "" && given === undefined;
  const { mutate, error, isPending } = useNewRun(
    `${pathOf("runs", runId)}/fork`,
    (change: Change & { readonly input?: unknown }) => ({
      at,
      ...change,
      ...(budget === "" ? {} : { budget: `$${budget}` }),
    }),
  );
  const changed = Object.entries(texts).filter(([field, text]) => text !== before[field]);
  return (
    <form
      className="form"
      onSubmit={(event) => {
        event.preventDefault();
        if (isMisfit) return;
        mutate({
          ...Object.fromEntries(changed),
          ...(given === undefined ? {} : { input: given.json }),
        });
      }}
    >
      <p className="muted">
        A new run shares what is recorded before <code>{at}</code>, which costs nothing, and does this and
        what follows from it anew.
      </p>
      {!of.current && (
        <p className="muted">
          The pipeline has changed since this run. The texts below are those of today; the fork is refused if
          what it shares has changed.
        </p>
      )}
      {Object.entries(texts).map(([field, text]) => (
        <div className="field" key={field}>
          <label htmlFor={id + field}>{names[field]}</label>
          {field === "model" ? (
            <input
              id={id + field}
              className="mono"
              value={text}
              onChange={({ target }) => setTexts({ ...texts, [field]: target.value })}
            />
          ) : (
            <textarea
              id={id + field}
              rows={5}
              value={text}
              onChange={({ target }) => setTexts({ ...texts, [field]: target.value })}
            />
          )}
        </div>
      ))}
      <div className="field">
        <label htmlFor={`${id}input`}>
          Another input, as JSON <span className="muted">(if you like)</span>
        </label>
        <textarea
          id={`${id}input`}
          className="mono"
          rows={2}
          value={input}
          aria-invalid={isMisfit}
          aria-describedby={isMisfit ? `${id}misfit` : undefined}
          onChange={({ target }) => setInput(target.value)}
        />
        {isMisfit && (
          <p id={`${id}misfit`} className="red">
            This is no JSON.
          </p>
        )}
      </div>
      <BudgetField value={budget} onChange={setBudget} />
      {error !== null && <LetterBox error={error} />}
      <div className="form-end">
        <button type="submit" className="button primary" disabled={isPending || isMisfit}>
          Start the fork
        </button>
      </div>
    </form>
  );
}

const names: { readonly [field: string]: string } = {
  system: "System prompt",
  prompt: "Prompt",
  model: "Model",
};
