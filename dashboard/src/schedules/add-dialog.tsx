import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type Ref, useId, useImperativeHandle, useRef, useState } from "react";
import type { Json } from "../../../src/core/json.ts";
import { Dialog, type DialogHandle } from "../parts/dialog.tsx";
import { SchemaForm } from "../parts/form/schema-form.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { usePipelines } from "../pipelines/pipelines.ts";
import { post } from "../wire/http.ts";

const { timeZone } = Intl.DateTimeFormat().resolvedOptions();
const blank = {
  pipeline: "",
  name: "",
  cron: "",
  timeZone,
  budget: "",
  missed: "last",
  overlap: "allow",
};
type Terms = typeof blank;

/** Makes a schedule, by a form of its plan and of the input that each of its runs gets. */
export function AddDialog({ ref }: { readonly ref: Ref<DialogHandle> }) {
  const dialog = useRef<DialogHandle>(null);
  const [terms, setTerms] = useState<Terms>(blank);
  const pipelines = usePipelines().data?.pipelines ?? [];
  const client = useQueryClient();
  const chosen = pipelines.find(({ name }) => name === terms.pipeline);
  const { mutate, error, isPending } = useMutation({
    mutationFn: (input: Json) => post("/schedules", requestOf(terms, input)),
    onSuccess: async () => {
      await client.invalidateQueries({ queryKey: ["schedules"] });
      dialog.current?.close();
      setTerms(blank);
    },
  });
  useImperativeHandle(ref, () => ({
    open: () => dialog.current?.open(),
    close: () => dialog.current?.close(),
  }));
  return (
    <Dialog ref={dialog} title="Run a pipeline by a plan">
      <div className="form">
        <Plan terms={terms} pipelines={pipelines.map(({ name }) => name)} onChange={setTerms} />
        {chosen !== undefined && (
          <SchemaForm
            key={chosen.name}
            schema={chosen.inputSchema}
            name="Input of each run"
            submit="Add the schedule"
            isPending={isPending}
            onSubmit={mutate}
          />
        )}
        {error !== null && <LetterBox error={error} />}
      </div>
    </Dialog>
  );
}

/** What is left empty is left to the server. */
function requestOf({ name, budget, ...terms }: Terms, input: Json): object {
  return {
    ...terms,
    input,
    ...(name === "" ? {} : { name }),
    ...(budget === "" ? {} : { budget: `$${budget.replace(/^\$/, "")}` }),
  };
}

const policies = {
  missed: { last: "one run, for the last of them", all: "a run for each", skip: "nothing" },
  overlap: { allow: "starts all the same", skip: "is passed over" },
} as const;

function Plan({
  terms,
  pipelines,
  onChange,
}: {
  readonly terms: Terms;
  readonly pipelines: readonly string[];
  readonly onChange: (terms: Terms) => void;
}) {
  const id = useId();
  const field = (of: keyof Terms) => ({
    id: id + of,
    value: terms[of],
    onChange: ({ target }: { readonly target: { readonly value: string } }) =>
      onChange({ ...terms, [of]: target.value }),
  });
  return (
    <>
      <div className="pair">
        <div className="field">
          <label htmlFor={`${id}pipeline`}>Pipeline</label>
          <select {...field("pipeline")}>
            <option value="">Choose…</option>
            {pipelines.map((name) => (
              <option key={name}>{name}</option>
            ))}
          </select>
        </div>
        <div className="field">
          <label htmlFor={`${id}name`}>
            Name <span className="muted">(if you like)</span>
          </label>
          <input {...field("name")} placeholder={terms.pipeline} />
        </div>
      </div>
      <div className="pair">
        <div className="field">
          <label htmlFor={`${id}cron`}>Cron expression</label>
          <input {...field("cron")} className="mono" placeholder="0 9 * * 1: Mondays at nine" />
        </div>
        <div className="field">
          <label htmlFor={`${id}timeZone`}>Time zone</label>
          <input {...field("timeZone")} />
        </div>
      </div>
      <div className="pair">
        <div className="field">
          <label htmlFor={`${id}missed`}>Ticks that nobody was there for</label>
          <Policies {...field("missed")} of={policies.missed} />
        </div>
        <div className="field">
          <label htmlFor={`${id}overlap`}>A tick while a run is under way</label>
          <Policies {...field("overlap")} of={policies.overlap} />
        </div>
      </div>
      <div className="field">
        <label htmlFor={`${id}budget`}>
          Each run at most, in US dollars <span className="muted">(if you like)</span>
        </label>
        <input {...field("budget")} inputMode="decimal" placeholder="no limit" />
      </div>
    </>
  );
}

function Policies({
  of,
  ...select
}: {
  readonly of: { readonly [policy: string]: string };
  readonly id: string;
  readonly value: string;
  readonly onChange: (event: { readonly target: { readonly value: string } }) => void;
}) {
  return (
    <select {...select}>
      {Object.entries(of).map(([policy, says]) => (
        <option key={policy} value={policy}>
          {says}
        </option>
      ))}
    </select>
  );
}
