import { useMutation, useQuery } from "@tanstack/react-query";
import { type Ref, useId, useImperativeHandle, useRef, useState } from "react";
import { useLocation } from "wouter";
import { Dialog, type DialogHandle } from "../parts/dialog.tsx";
import { jsonIn } from "../parts/form/json-text.ts";
import { LetterBox } from "../parts/letter.tsx";
import { get, pathOf, post, queryOf } from "../wire/http.ts";
import { type Change, type Improvables, placeOf, textsOf } from "./forking.ts";
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
  const dialog = useRef<DialogHandle>(null);
  useImperativeHandle(ref, () => ({
    open: () => dialog.current?.open(),
    close: () => dialog.current?.close(),
  }));
  return (
    <Dialog ref={dialog} title="Fork the run here">
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
  const [, go] = useLocation();
  const before = textsOf(of);
  const [texts, setTexts] = useState(before);
  const [input, setInput] = useState("");
  const [budget, setBudget] = useState(limitUsd);
  const id = useId();
  const given = input.trim() === "" ? undefined : jsonIn(input);
  const isMisfit = input.trim() !== "" && given === undefined;
  const { mutate, error, isPending } = useMutation({
    mutationFn: (request: Change & { readonly input?: unknown; readonly budget?: string }) =>
      post<{ readonly runId: string }>(`${pathOf("runs", runId)}/fork`, { at, ...request }),
    onSuccess: (fork) => go(`/runs/${encodeURIComponent(fork.runId)}`),
  });
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
          ...(budget === "" ? {} : { budget: `$${budget}` }),
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
      <div className="field">
        <label htmlFor={`${id}budget`}>
          At most, in US dollars <span className="muted">(if you like)</span>
        </label>
        <input
          id={`${id}budget`}
          inputMode="decimal"
          value={budget}
          onChange={({ target }) => setBudget(target.value.replace(/^\$/, ""))}
        />
      </div>
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
