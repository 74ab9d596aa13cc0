import { useId } from "react";
import { type Draft, emptyDraft } from "./draft.ts";
import type { Field } from "./field.ts";

interface InputProps {
  readonly field: Field;
  readonly name: string;
  readonly at: string;
  readonly draft: Draft;
  readonly problem: { readonly at: string } | undefined;
  readonly onChange: (draft: Draft) => void;
}

/** The input of one field, with its name, and what the schema says of it. */
export function FieldInput(props: InputProps) {
  const { field, name, at, draft, onChange } = props;
  const id = useId();
  const label = field.title ?? name;
  if (field.kind === "object") return <ObjectInput {...props} field={field} label={at === "" ? "" : label} />;
  if (field.kind === "list") return <ListInput {...props} field={field} label={label} />;
  if (field.kind === "truth")
    return (
      <div>
        <label className="check">
          <input
            type="checkbox"
            checked={draft === true}
            onChange={({ target }) => onChange(target.checked)}
          />
          {label}
        </label>
        <Says text={field.description} id={`${id}says`} />
      </div>
    );
  return (
    <div className="field">
      <label htmlFor={id}>
        {label} {(field.isOptional || field.isNullable) && <span className="muted">(if you like)</span>}
      </label>
      <Entry {...props} id={id} />
      <Says text={field.description} id={`${id}says`} />
    </div>
  );
}

function Says({ text, id }: { readonly text: string | undefined; readonly id: string }) {
  if (text === undefined) return null;
  return (
    <p id={id} className="muted small">
      {text}
    </p>
  );
}

function Entry({ field, draft, problem, at, id, onChange }: InputProps & { readonly id: string }) {
  const about = {
    id,
    value: String(draft),
    "aria-invalid": problem?.at === at || undefined,
    "aria-describedby": field.description === undefined ? undefined : `${id}says`,
    onChange: ({ target }: { readonly target: { readonly value: string } }) => onChange(target.value),
  };
  switch (field.kind) {
    case "choice":
      return (
        <select {...about}>
          <option value="">Choose…</option>
          {field.choices.map((choice, i) => (
            <option key={JSON.stringify(choice)} value={i}>
              {typeof choice === "string" ? choice : JSON.stringify(choice)}
            </option>
          ))}
        </select>
      );
    case "number":
      return (
        <input
          {...about}
          inputMode={field.isInteger ? "numeric" : "decimal"}
          placeholder={boundsText(field)}
        />
      );
    case "text":
      return field.isLong && field.format === undefined ? (
        <textarea {...about} rows={3} />
      ) : (
        <input {...about} />
      );
    default:
      return <textarea {...about} className="mono" spellCheck={false} placeholder="JSON" />;
  }
}

function boundsText({
  min,
  max,
}: {
  readonly min: number | undefined;
  readonly max: number | undefined;
}): string {
  if (min !== undefined && max !== undefined && max < Number.MAX_SAFE_INTEGER) return `${min} to ${max}`;
  return min !== undefined && min > Number.MIN_SAFE_INTEGER ? `at least ${min}` : "";
}

function ObjectInput({
  field,
  at,
  label,
  draft,
  problem,
  onChange,
}: InputProps & { readonly field: Extract<Field, { kind: "object" }>; readonly label: string }) {
  const known = draft as { readonly [name: string]: Draft }; // as emptyDraft made it
  const inputs = field.fields.map(([name, inner]) => (
    <FieldInput
      key={name}
      field={inner}
      name={name}
      at={`${at}/${name}`}
      draft={known[name] ?? emptyDraft(inner)}
      problem={problem}
      onChange={(next) => onChange({ ...known, [name]: next })}
    />
  ));
  if (label === "") return inputs;
  return (
    <fieldset>
      <legend>{label}</legend>
      {inputs}
    </fieldset>
  );
}

function ListInput({
  field,
  at,
  label,
  draft,
  problem,
  onChange,
}: InputProps & { readonly field: Extract<Field, { kind: "list" }>; readonly label: string }) {
  const known = draft as readonly Draft[]; // as emptyDraft made it
  return (
    <fieldset>
      <legend>{label}</legend>
      {known.map((item, i) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: items have nothing but their place
        <div key={i} className="list-item">
          <FieldInput
            field={field.of}
            name={`${label} ${i + 1}`}
            at={`${at}/${i}`}
            draft={item}
            problem={problem}
            onChange={(next) => onChange(known.with(i, next))}
          />
          <button type="button" className="button tight" onClick={() => onChange(known.toSpliced(i, 1))}>
            Remove<span className="unseen"> {`${label} ${i + 1}`}</span>
          </button>
        </div>
      ))}
      <p>
        <button
          type="button"
          className="button tight"
          onClick={() => onChange([...known, emptyDraft(field.of)])}
        >
          Add
        </button>
      </p>
    </fieldset>
  );
}
