import { useMutation } from "@tanstack/react-query";
import { type Ref, useId, useImperativeHandle, useRef, useState } from "react";
import { useLocation } from "wouter";
import type { Json } from "../../../src/core/json.ts";
import { Dialog, type DialogHandle } from "../parts/dialog.tsx";
import { SchemaForm } from "../parts/form/schema-form.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { post } from "../wire/http.ts";
import type { PipelineView } from "./pipelines.ts";

/** Starts a run, by a form made of the pipeline's input, and goes to it. */
export function StartDialog({
  ref,
  pipeline,
}: {
  readonly ref: Ref<DialogHandle>;
  readonly pipeline: PipelineView;
}) {
  const { name, inputSchema } = pipeline;
  const dialog = useRef<DialogHandle>(null);
  const [, go] = useLocation();
  const [runId, setRunId] = useState("");
  const [budget, setBudget] = useState("");
  const id = useId();
  const { mutate, error, isPending } = useMutation({
    mutationFn: (input: Json) =>
      post<{ readonly runId: string }>("/runs", {
        pipeline: name,
        input,
        ...(runId === "" ? {} : { runId }),
        ...(budget === "" ? {} : { budget: `$${budget.replace(/^\$/, "")}` }),
      }),
    onSuccess: (started) => go(`/runs/${encodeURIComponent(started.runId)}`),
  });
  useImperativeHandle(ref, () => ({
    open: () => dialog.current?.open(),
    close: () => dialog.current?.close(),
  }));
  return (
    <Dialog ref={dialog} title={`Start a run of ${name}`}>
      <div className="form">
        <div className="pair">
          <div className="field">
            <label htmlFor={`${id}run`}>
              Run id <span className="muted">(if you like)</span>
            </label>
            <input id={`${id}run`} value={runId} onChange={({ target }) => setRunId(target.value)} />
          </div>
          <div className="field">
            <label htmlFor={`${id}budget`}>
              At most, in US dollars <span className="muted">(if you like)</span>
            </label>
            <input
              id={`${id}budget`}
              inputMode="decimal"
              placeholder={pipeline.budget?.costUsd ?? "no limit"}
              value={budget}
              onChange={({ target }) => setBudget(target.value)}
            />
          </div>
        </div>
        <SchemaForm
          schema={inputSchema}
          name="Input"
          submit="Start"
          isPending={isPending}
          onSubmit={mutate}
        />
        {error !== null && <LetterBox error={error} />}
      </div>
    </Dialog>
  );
}
