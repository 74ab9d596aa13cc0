import { type Ref, useId, useState } from "react";
import { Dialog, type DialogHandle, useHandle } from "../parts/dialog.tsx";
import { Money } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { useAct } from "./actions.tsx";
import type { RunDetail } from "./wire.ts";

/** Raises a run's limits, and goes on with it where it had halted of them. */
export function TopUpDialog({
  ref,
  detail,
}: {
  readonly ref: Ref<DialogHandle>;
  readonly detail: RunDetail;
}) {
  const { run, served } = detail;
  const dialog = useHandle(ref);
  const [amount, setAmount] = useState("");
  const id = useId();
  const close = (): void => dialog.current?.close();
  const resume = useAct(run.runId, "resume", close);
  const goesOn = served && run.status !== "running";
  const raise = useAct(run.runId, "top-up", () => (goesOn ? resume.mutate({}) : close()));
  const isAmount = /^\d{1,12}(\.\d{1,12})?$/.test(amount);
  return (
    <Dialog ref={dialog} title="Top up the budget">
      <form
        className="form"
        onSubmit={(event) => {
          event.preventDefault();
          if (isAmount) raise.mutate({ by: `$${amount}` });
        }}
      >
        <p className="muted">
          Spent and held so far: <Money usd={run.spent.costUsd} name="run.spent" />
          {run.limits.costUsd !== undefined && (
            <>
              {" of "}
              <Money usd={run.limits.costUsd} name="run.limit" />
            </>
          )}
          .
        </p>
        <div className="field">
          <label htmlFor={id}>Raise it by, in US dollars</label>
          <input
            id={id}
            inputMode="decimal"
            placeholder="0.50"
            value={amount}
            onChange={({ target }) => setAmount(target.value.replace(/^\$/, ""))}
          />
        </div>
        {[raise.error, resume.error].map(
          (error) => error !== null && <LetterBox key={error.message} error={error} />,
        )}
        {!goesOn && run.status !== "running" && (
          <p className="muted">
            This server does not serve the pipeline. The run goes on with{" "}
            <code>flujo resume {run.runId}</code>.
          </p>
        )}
        <div className="form-end">
          <button
            type="submit"
            className="button primary"
            disabled={!isAmount || raise.isPending || resume.isPending}
          >
            {goesOn ? "Top up and resume" : "Top up"}
          </button>
        </div>
      </form>
    </Dialog>
  );
}
