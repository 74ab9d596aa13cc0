import { Link } from "wouter";
import type { RunView } from "../../../src/lens/show.ts";
import { Questions } from "../inbox/questions.tsx";
import { Ago } from "../parts/figures.tsx";
import { sentence } from "../parts/letter.tsx";

/** Why a run stands where it stands, and what to do about it: in the words of the error, with the question's own form. */
export function Standing({ run }: { readonly run: RunView }) {
  const { status, error, waitingFor, runId } = run;
  if (error !== null && status !== "running" && status !== "completed")
    return (
      <div className={`letter ${status === "halted" ? "violet-letter" : ""}`} data-standing={status}>
        <p>
          <strong>{sentence(error.message)}</strong>
        </p>
        {error.hint !== undefined && <p>{error.hint}</p>}
        {error.path !== undefined && (
          <p>
            <Link
              href={`/runs/${encodeURIComponent(runId)}?at=${encodeURIComponent(error.path)}`}
              className="text-link"
            >
              Show {error.path}
            </Link>
          </p>
        )}
        {run.undone !== undefined && <Undone of={run.undone} />}
      </div>
    );
  if (status !== "waiting") return null;
  const timers = waitingFor.filter(({ kind }) => kind === "timer");
  return (
    <>
      <Questions runId={runId} />
      {timers.map(({ path, due }) => (
        <p key={path} className="letter amber-letter">
          <span>
            <code>{path}</code> sleeps
            {due !== undefined && (
              <>
                : it goes on <Ago at={due} />
              </>
            )}
            .
          </span>
        </p>
      ))}
    </>
  );
}

/** What the run did that is taken back, and what is left to be. */
function Undone({ of: { places, left } }: { readonly of: NonNullable<RunView["undone"]> }) {
  return (
    <p>
      {places.length === 0 ? "Nothing is undone" : `Undone: ${places.join(", ")}`}
      {left.length > 0 && `; left: ${left.join(", ")}`}.
    </p>
  );
}
