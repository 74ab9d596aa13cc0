/** Keys for people who leave the mouse alone. */
import { useEffect, useEffectEvent } from "react";

/** What keys do on this page, each by its `KeyboardEvent.key`; of a key that stands twice, the last counts. */
export type Keys = readonly (readonly [key: string, act: () => void])[];

/** Listens while the component is there. Keys typed into a field, with a modifier, or in an open dialog, mean what they always mean. */
export function useKeys(keys: Keys): void {
  const press = useEffectEvent((event: KeyboardEvent): void => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return;
    if (isTyping(event.target) || document.querySelector("dialog[open]") !== null) return;
    const [, act] = keys.findLast(([key]) => key === event.key) ?? [];
    if (act === undefined) return;
    event.preventDefault();
    act();
  });
  useEffect(() => {
    document.addEventListener("keydown", press);
    return () => document.removeEventListener("keydown", press);
  }, []);
}

function isTyping(target: EventTarget | null): boolean {
  return (
    target instanceof HTMLElement && (target.isContentEditable || target.matches("input, textarea, select"))
  );
}
