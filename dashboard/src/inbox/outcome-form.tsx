import { useId, useState } from "react";
import { jsonIn } from "../parts/form/json-text.ts";
import type { AnswerProps } from "./approval-form.tsx";

/** What became of a tool's call that nobody saw the end of. */
export function OutcomeForm({ isPending, onAnswer }: AnswerProps) {
  const [text, setText] = useState("");
  const id = useId();
  const result = jsonIn(text);
  return (
    <form className="form" onSubmit={(event) => event.preventDefault()}>
      <div className="field">
        <label htmlFor={id}>What it returned (JSON), or why it failed</label>
        <textarea id={id} className="mono" value={text} onChange={({ target }) => setText(target.value)} />
      </div>
      <div className="form-end">
        <button
          type="button"
          className="button"
          disabled={isPending}
          onClick={() => onAnswer({ retry: true })}
        >
          It did not happen: run it again
        </button>
        <button
          type="button"
          className="button"
          disabled={isPending || result === undefined}
          onClick={() => result !== undefined && onAnswer({ result: result.json })}
        >
          It returned this
        </button>
        <button
          type="button"
          className="button danger"
          disabled={isPending || text.trim() === ""}
          onClick={() => onAnswer({ failed: text.trim() })}
        >
          It failed so
        </button>
      </div>
    </form>
  );
}
