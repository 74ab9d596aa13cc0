import { type Ref, useImperativeHandle, useRef } from "react";
import { Dialog, type DialogHandle } from "../parts/dialog.tsx";
import { places } from "./sidebar.tsx";

export type HelpHandle = DialogHandle;

const keys: readonly (readonly [keys: readonly string[], what: string])[] = [
  [["/"], "search"],
  [["j", "k"], "next and previous row (or the arrow keys)"],
  [["Enter"], "open the row"],
  [["→", "←"], "open and fold what a row holds"],
  [["Esc"], "leave the search, close what is open"],
  [["t"], "theme: as the system, light, dark"],
  [["?"], "this list"],
];

export function Help({ ref }: { readonly ref: Ref<HelpHandle> }) {
  const dialog = useRef<DialogHandle>(null);
  useImperativeHandle(ref, () => ({
    open: () => dialog.current?.open(),
    close: () => dialog.current?.close(),
  }));
  return (
    <Dialog ref={dialog} title="Keys">
      <dl className="keys">
        {places.map(({ name }, i) => (
          <div key={name}>
            <dt>
              <kbd>{i + 1}</kbd>
            </dt>
            <dd>{name}</dd>
          </div>
        ))}
        {keys.map(([names, what]) => (
          <div key={what}>
            <dt>
              {names.map((name) => (
                <kbd key={name}>{name}</kbd>
              ))}
            </dt>
            <dd>{what}</dd>
          </div>
        ))}
      </dl>
    </Dialog>
  );
}
