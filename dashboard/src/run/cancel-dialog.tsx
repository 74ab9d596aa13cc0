import { type Ref, useId, useState } from "react";
import { Dialog, type DialogHandle, useHandle } from "../parts/dialog.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useAct } from "./actions.tsx";

/** Asks once more before a run is stopped for good. */
export function CancelDialog({ ref, runId }: { readonly ref: Ref<DialogHandle>; readonly runId: string }) {
  const dialog = useHandle(ref);
  const [reason, setReason] = useState("");
  const { mutate, error, isPending } = useAct(runId, "cancel", () => dialog.current?.close());
  const id = useId();
  return (
    <Dialog ref={dialog} title="Cancel the run for good?">
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          mutate(reason === "" ? {} : { reason });
        }}
      >
        <p className="muted">
          What it has done stays recorded, and what it has paid for stays spent. A cancelled run cannot be
          resumed.
        </p>
        <div className="field">
          <label htmlFor={id}>
            Why <span className="muted">(if you like)</span>
          </label>
          <input id={id} value={reason} onChange={({ target }) => setReason(target.value)} />
        </div>
        {error !== null && <LetterBox error={error} />}
        <div className="form-end">
          <button type="submit" className="button danger" disabled={isPending}>
            Cancel the run
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
        </div>
      </form>
    </Dialog>
  );
}
