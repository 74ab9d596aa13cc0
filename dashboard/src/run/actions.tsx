import { useMutation, useQueryClient } from "@tanstack/react-query";
import { useRef } from "react";
import { Link } from "wouter";
import type { DialogHandle } from "../parts/dialog.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { pathOf, post } from "../wire/http.ts";
import { CancelDialog } from "./cancel-dialog.tsx";
import { TopUpDialog } from "./top-up-dialog.tsx";
import type { RunDetail } from "./wire.ts";

/** What a person can do with a run, as it stands. */
export function Actions({ detail }: { readonly detail: RunDetail }) {
  const { run, served, advancedBy } = detail;
  const { runId, status } = run;
  const cancelling = useRef<DialogHandle>(null);
  const raising = useRef<DialogHandle>(null);
  const resume = useAct(runId, "resume");
  const isEnded = status === "completed" || status === "cancelled";
  /** It stands though nobody has to be waited for; or it runs, and nobody advances it. */
  const canResume =
    status === "failed" || status === "halted" || (status === "running" && advancedBy === null);
  return (
    <div className="end">
      {resume.error !== null && <LetterBox error={resume.error} />}
      <Link href={`/compare?a=${encodeURIComponent(runId)}`} className="button plain">
        Compare
      </Link>
      {canResume && served && (
        <button
          type="button"
          className="button"
          disabled={resume.isPending}
          onClick={() => resume.mutate({})}
        >
          Resume
        </button>
      )}
      {!isEnded && Object.keys(run.limits).length > 0 && (
        <button
          type="button"
          className={status === "halted" ? "button primary" : "button"}
          onClick={() => raising.current?.open()}
        >
          Top up
        </button>
      )}
      {!isEnded && (
        <button type="button" className="button danger" onClick={() => cancelling.current?.open()}>
          Cancel
        </button>
      )}
      <CancelDialog ref={cancelling} runId={runId} />
      <TopUpDialog ref={raising} detail={detail} />
    </div>
  );
}

/** A request that changes a run; what is shown of the run is asked for again after it. */
export function useAct(runId: string, act: "cancel" | "resume" | "top-up", onDone?: () => void) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: object) => post(`${pathOf("runs", runId)}/${act}`, body),
    onSuccess: () => onDone?.(),
    onSettled: () => client.invalidateQueries({ queryKey: ["run", runId] }),
  });
}
