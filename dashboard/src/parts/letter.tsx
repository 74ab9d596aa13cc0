import type { ReactNode } from "react";
import { Letter } from "../wire/http.ts";

/** What went wrong and what to do next, in the words of whoever refused. */
export function LetterBox({ error, children }: { readonly error: Error; readonly children?: ReactNode }) {
  const hint = error instanceof Letter ? error.hint : undefined;
  return (
    <div role="alert" className="letter">
      <p>
        <strong>{sentence(error.message)}</strong>
      </p>
      {hint !== undefined && <p>{hint}</p>}
      {children}
    </div>
  );
}

/** With a capital letter and an end, as the start of a letter. */
export const sentence = (text: string): string => {
  const begun = text.charAt(0).toUpperCase() + text.slice(1);
  return /[.!?]$/.test(begun) ? begun : `${begun}.`;
};
