import { useId, useState } from "react";
import type { Json } from "../../../src/core/json.ts";

export interface AnswerProps {
  readonly isPending: boolean;
  readonly onAnswer: (data: Json) => void;
}

/** Yes or no, and why. */
export function ApprovalForm({ isPending, onAnswer }: AnswerProps) {
  const [note, setNote] = useState("");
  const id = useId();
  const answer = (approved: boolean): void => onAnswer(note === "" ? { approved } : { approved, note });
  return (
    <form className="form" onSubmit={(event) => event.preventDefault()}>
      <div className="field">
        <label htmlFor={id}>
          Note <span className="muted">(if you like)</span>
        </label>
        <input id={id} value={note} onChange={({ target }) => setNote(target.value)} />
      </div>
      <div className="form-end">
        <button type="button" className="button primary" disabled={isPending} onClick={() => answer(true)}>
          Approve
        </button>
        <button type="button" className="button danger" disabled={isPending} onClick={() => answer(false)}>
          Reject
        </button>
      </div>
    </form>
  );
}
