import { type Ref, useId, useState } from "react";
import type { Json } from "../../../src/core/json.ts";
import { Dialog, type DialogHandle } from "../parts/dialog.tsx";
import { BudgetField } from "../parts/form/budget-field.tsx";
import { SchemaForm } from "../parts/form/schema-form.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useNewRun } from "../run/new-run.ts";
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
  const [runId, setRunId] = useState("");
  const [budget, setBudget] = useState("");
  const id = useId();
  const { mutate, error, isPending } = useNewRun("/runs", (input: Json) => ({
    pipeline: name,
    input,
    ...(runId === "" ? {} : { runId }),
    ...(budget === "" ? {} : { budget: `$${budget}` }),
  }));
  return (
    <Dialog ref={ref} title={`Start a run of ${name}`}>
      <div className="form">
        <div className="pair">
          <div className="field">
            <label htmlFor={id}>
              Run id <span className="muted">(if you like)</span>
            </label>
            <input id={id} value={runId} onChange={({ target }) => setRunId(target.value)} />
          </div>
          <BudgetField
            value={budget}
            placeholder={pipeline.budget?.costUsd ?? "no limit"}
            onChange={setBudget}
          />
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
