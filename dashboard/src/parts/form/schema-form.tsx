import { useMemo, useState } from "react";
import type { Json } from "../../../../src/core/json.ts";
import { answerOf, type Draft, emptyDraft, type Filled } from "./draft.ts";
import { fieldOf } from "./field.ts";
import { FieldInput } from "./field-input.tsx";

/** A form made of a JSON Schema. */
export function SchemaForm({
  schema,
  name = "Answer",
  submit,
  isPending,
  onSubmit,
}: {
  readonly schema: Json;
  /** What a value that is no object is called. */
  readonly name?: string;
  /** What the button says. */
  readonly submit: string;
  readonly isPending: boolean;
  readonly onSubmit: (value: Json) => void;
}) {
  const field = useMemo(() => fieldOf(schema), [schema]);
  const [draft, setDraft] = useState<Draft>(() => emptyDraft(field));
  const [filled, setFilled] = useState<Filled>();
  const problem = filled !== undefined && "problem" in filled ? filled : undefined;
  return (
    <form
      className="form"
      noValidate
      onSubmit={(event) => {
        event.preventDefault();
        const now = answerOf(field, draft);
        setFilled(now);
        if ("value" in now) onSubmit(now.value ?? null);
      }}
    >
      <FieldInput field={field} name={name} at="" draft={draft} problem={problem} onChange={setDraft} />
      {problem !== undefined && (
        <p role="alert" className="problem">
          {problem.at === "" ? "" : `${problem.at.slice(1).replaceAll("/", ", ")}: `}
          {problem.problem}
        </p>
      )}
      <div className="form-end">
        <button type="submit" className="button primary" disabled={isPending}>
          {submit}
        </button>
      </div>
    </form>
  );
}
