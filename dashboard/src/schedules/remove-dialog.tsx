import { useMutation, useQueryClient } from "@tanstack/react-query";
import { type Ref, useImperativeHandle, useRef } from "react";
import { Dialog, type DialogHandle } from "../parts/dialog.tsx";
import { LetterBox } from "../parts/letter.tsx";
import { pathOf, post } from "../wire/http.ts";

/** Asks once more before a schedule is forgotten. */
export function RemoveDialog({ ref, name }: { readonly ref: Ref<DialogHandle>; readonly name: string }) {
  const dialog = useRef<DialogHandle>(null);
  const client = useQueryClient();
  const { mutate, error, isPending } = useMutation({
    mutationFn: () => post(`${pathOf("schedules", name)}/remove`, {}),
    onSuccess: () => client.invalidateQueries({ queryKey: ["schedules"] }),
  });
  useImperativeHandle(ref, () => ({
    open: () => dialog.current?.open(),
    close: () => dialog.current?.close(),
  }));
  return (
    <Dialog ref={dialog} title={`Remove the schedule ${name}?`}>
      <div className="form">
        <p className="muted">It starts nothing any more. Runs that it has started stay, and go on.</p>
        {error !== null && <LetterBox error={error} />}
        <div className="form-end">
          <button type="button" className="button danger" disabled={isPending} onClick={() => mutate()}>
            Remove it
          </button>
          <button type="button" className="button" onClick={() => dialog.current?.close()}>
            Leave it
          </button>
        </div>
      </div>
    </Dialog>
  );
}
