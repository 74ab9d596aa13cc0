import { useId } from "react";

/** The most that a run may cost, in US dollars without their sign; empty for nothing said. */
export function BudgetField({
  value,
  placeholder,
  onChange,
}: {
  readonly value: string;
  readonly placeholder?: string;
  readonly onChange: (usd: string) => void;
}) {
  const id = useId();
  return (
    <div className="field">
      <label htmlFor={id}>
        At most, in US dollars <span className="muted">(if you like)</span>
      </label>
      <input
        id={id}
        inputMode="decimal"
        placeholder={placeholder}
        value={value}
        onChange={({ target }) => onChange(target.value.replace(/^\$/, ""))}
      />
    </div>
  );
}
