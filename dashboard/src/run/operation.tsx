import { useQuery } from "@tanstack/react-query";
import { type ReactNode, useEffect, useRef } from "react";
import type { OperationDetail } from "../../../src/lens/trace.ts";
import type { DialogHandle } from "../parts/dialog.tsx";
import { Count, Duration, Money } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { PathText } from "../parts/path-text.tsx";
import { Status } from "../parts/status.tsx";
import { Value } from "../parts/value.tsx";
import { get, pathOf, queryOf } from "../wire/http.ts";
import { momentText } from "../words/time.ts";
import { Calls } from "./calls.tsx";
import { Failures } from "./failures.tsx";
import { ForkDialog } from "./fork-dialog.tsx";
import { Messages } from "./messages.tsx";
import { useRun } from "./run.ts";
import { StateChanges } from "./state-changes.tsx";

/** One operation: what went in, what came out, what was said to its model, what failed. */
export function OperationPanel({
  runId,
  path,
  news,
  onClose,
}: {
  readonly runId: string;
  readonly path: string;
  readonly news: number;
  readonly onClose: () => void;
}) {
  const { data, error, isPending, refetch } = useQuery({
    queryKey: ["operation", runId, path],
    queryFn: ({ signal }) =>
      get<OperationDetail>(`${pathOf("runs", runId)}/operation${queryOf({ path })}`, signal),
    placeholderData: (before) => before,
  });
  useEffect(() => {
    if (news > 0) refetch();
  }, [news, refetch]);
  const served = useRun(runId).data?.served === true;
  const forking = useRef<DialogHandle>(null);
  return (
    <aside className="operation card" aria-label="Operation">
      <div className="operation-head">
        <h2 className="mono">
          <PathText path={path} />
        </h2>
        <div className="end">
          {served && data !== undefined && (
            <button type="button" className="button tight" onClick={() => forking.current?.open()}>
              Fork here
            </button>
          )}
          <button type="button" className="button plain tight" onClick={onClose}>
            Close <kbd>Esc</kbd>
          </button>
        </div>
      </div>
      <ForkDialog ref={forking} runId={runId} path={path} />
      {isPending && <p className="muted">Loading…</p>}
      {error !== null && data === undefined && <LetterBox error={error} />}
      {data !== undefined && <Detail of={data} />}
    </aside>
  );
}

function Detail({ of }: { readonly of: OperationDetail }) {
  const {
    status,
    kind,
    model,
    attempts,
    durationMs,
    startedAt,
    spent,
    cached,
    error,
    notes = [],
    partial,
  } = of;
  const { messages = [], state = [], calls = [], input, output } = of;
  return (
    <>
      <dl className="facts">
        <Fact name="Status">
          <Status status={status} />
        </Fact>
        <Fact name="Kind">{cached ? `${kind}, from the cache` : kind}</Fact>
        {model !== undefined && (
          <Fact name="Model">
            <span className="mono">{model}</span>
          </Fact>
        )}
        {startedAt !== null && <Fact name="Began">{momentText(Date.parse(startedAt))}</Fact>}
        {durationMs !== null && (
          <Fact name="Lasted">
            <Duration ms={durationMs} name="operation.duration" />
          </Fact>
        )}
        <Fact name="Attempts">
          <Count n={attempts} name="operation.attempts" />
        </Fact>
        {spent.calls > 0 && (
          <Fact name="Cost">
            <Money usd={spent.costUsd} name="operation.cost" />
          </Fact>
        )}
        {spent.calls > 0 && (
          <Fact name="Tokens">
            <Count n={spent.inputTokens} name="operation.inputTokens" /> in,{" "}
            <Count n={spent.outputTokens} name="operation.outputTokens" /> out
          </Fact>
        )}
      </dl>
      {error !== null && (
        <div className="letter">
          <p>
            <strong>{error.message}</strong>
          </p>
          {error.hint !== undefined && <p>{error.hint}</p>}
        </div>
      )}
      {notes.length > 0 && (
        <ul className="notes">
          {notes.map((note) => (
            <li key={note}>{note}</li>
          ))}
        </ul>
      )}
      <Failures of={of.failures ?? []} />
      {calls.length > 0 && <Calls of={calls} />}
      {messages.length > 0 && <Messages of={messages} />}
      {partial !== undefined && (
        <section aria-live="polite">
          <h3>Said so far</h3>
          <Value of={partial} label="What the model has said so far" />
        </section>
      )}
      {input !== null && (
        <section>
          <h3>Input</h3>
          <Value of={input} label="Input of the operation" />
        </section>
      )}
      {status === "completed" && messages.length === 0 && (
        <section>
          <h3>Output</h3>
          <Value of={output} label="Output of the operation" />
        </section>
      )}
      {state.length > 0 && (
        <section>
          <h3>Changed in the state</h3>
          <StateChanges of={state} />
        </section>
      )}
    </>
  );
}

function Fact({ name, children }: { readonly name: string; readonly children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}
