import {
  type ReactNode,
  type Ref,
  type RefObject,
  useId,
  useImperativeHandle,
  useRef,
  useState,
} from "react";

export interface DialogHandle {
  open(): void;
  close(): void;
}

/** A window over the page, by the browser's own dialog: it keeps the focus inside, and Esc closes it. */
export function Dialog({
  ref,
  title,
  children,
}: {
  readonly ref: Ref<DialogHandle>;
  readonly title: string;
  readonly children: ReactNode;
}) {
  const dialog = useRef<HTMLDialogElement>(null);
  const [isOpen, setOpen] = useState(false);
  const heading = useId();
  useImperativeHandle(ref, () => ({
    open() {
      setOpen(true);
      if (dialog.current?.open === false) dialog.current.showModal();
    },
    close: () => dialog.current?.close(),
  }));
  return (
    <dialog ref={dialog} className="dialog" aria-labelledby={heading} onClose={() => setOpen(false)}>
      <div className="dialog-head">
        <h2 id={heading}>{title}</h2>
        <button type="button" className="button plain tight" onClick={() => dialog.current?.close()}>
          Close <kbd>Esc</kbd>
        </button>
      </div>
      {isOpen && children}
    </dialog>
  );
}

/** For a dialog that closes itself: what it is opened by from outside, within its own reach. */
export function useHandle(ref: Ref<DialogHandle>): RefObject<DialogHandle | null> {
  const dialog = useRef<DialogHandle>(null);
  useImperativeHandle(ref, () => ({
    open: () => dialog.current?.open(),
    close: () => dialog.current?.close(),
  }));
  return dialog;
}
