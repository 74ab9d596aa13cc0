import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { Link } from "wouter";
import type { ScheduleView } from "../../../src/schedules/view.ts";
import type { DialogHandle } from "../parts/dialog.tsx";
import { Ago } from "../parts/figures.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { Status } from "../parts/status.tsx";
import { pathOf, post } from "../wire/http.ts";
import { countOf, momentText } from "../words/time.ts";
import { RemoveDialog } from "./remove-dialog.tsx";

/** One schedule: when its next tick is, how the run of the last one stands, and what has become of others. */
export function ScheduleCard({ schedule }: { readonly schedule: ScheduleView }) {
  const { name, pipeline, cron, timeZone, paused, next, overdueSince, last, lastError, passedOver } =
    schedule;
  const client = useQueryClient();
  const removal = useRef<DialogHandle>(null);
  const { mutate, error, isPending } = useMutation({
    mutationFn: () => post(`${pathOf("schedules", name)}/${paused ? "unpause" : "pause"}`, {}),
    onSettled: () => client.invalidateQueries({ queryKey: ["schedules"] }),
  });
  return (
    <article className="card" data-schedule={name}>
      <div className="operation-head">
        <h2>{name}</h2>
        <div className="end">
          <button type="button" className="button tight" disabled={isPending} onClick={() => mutate()}>
            {paused ? "Go on" : "Pause"}
          </button>
          <button type="button" className="button tight" onClick={() => removal.current?.open()}>
            Remove
          </button>
        </div>
      </div>
      <p className="small muted">
        runs {pipeline}, <code>{cron}</code> in {timeZone}
      </p>
      {paused && (
        <p>
          <span className="mark amber">paused</span>
        </p>
      )}
      {next !== null && (
        <p>
          Next <Ago at={next} /> <span className="muted small">({momentText(Date.parse(next))})</span>
        </p>
      )}
      {overdueSince !== null && (
        <p className="letter amber-letter">
          Nobody has dealt with its tick of {momentText(Date.parse(overdueSince))}: no process fires it. flujo
          up does.
        </p>
      )}
      {last !== null && (
        <p>
          Last <Ago at={last.tick} />:{" "}
          <Link href={`/runs/${encodeURIComponent(last.runId)}`} className="text-link mono">
            {last.runId}
          </Link>{" "}
          {last.status !== null && <Status status={last.status} />}
        </p>
      )}
      {lastError !== null && (
        <p className="letter">
          The tick of {momentText(Date.parse(lastError.tick))} could not be started: {lastError.message}
        </p>
      )}
      {passedOver.missed + passedOver.overlapping > 0 && (
        <p className="small muted">
          {countOf(passedOver.missed, "tick")} missed, {passedOver.overlapping} passed over while a run was
          under way
        </p>
      )}
      {error !== null && <LetterBox error={error} />}
      <RemoveDialog ref={removal} name={name} />
    </article>
  );
}
