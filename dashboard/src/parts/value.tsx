import { useState } from "react";
import type { Json } from "../../../src/core/json.ts";

/** Longer values are shown to here until somebody wants them whole. */
const shownAtFirst = 20_000;

/** A value for reading: text as it is, all else as JSON with its parts coloured. Whatever it holds is shown as text. */
export function Value({ of, label }: { readonly of: Json; readonly label: string }) {
  const [isWhole, setWhole] = useState(false);
  const isText = typeof of === "string";
  const text = isText ? of : JSON.stringify(of, null, 2);
  const shown = isWhole ? text : text.slice(0, shownAtFirst);
  return (
    <>
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: a box that scrolls has to be reached with keys */}
      <pre className="value" tabIndex={0} role="group" aria-label={label}>
        {isText ? shown : coloured(shown)}
      </pre>
      {text.length > shown.length && (
        <button type="button" className="button tight" onClick={() => setWhole(true)}>
          Show all {text.length.toLocaleString("en")} characters
        </button>
      )}
    </>
  );
}

const parts = /("(?:\\.|[^"\\])*"?)(\s*:)?|(-?\d[\d.eE+-]*)|\b(true|false|null)\b/g;

/** JSON as pieces, each a span of its kind. */
function coloured(text: string) {
  const pieces = [];
  let end = 0;
  for (const match of text.matchAll(parts)) {
    const [whole, string, colon, number] = match;
    if (match.index > end) pieces.push(text.slice(end, match.index));
    const kind =
      string === undefined
        ? number === undefined
          ? "word"
          : "number"
        : colon === undefined
          ? "text"
          : "key";
    pieces.push(
      <span key={match.index} className={kind}>
        {string ?? whole}
      </span>,
    );
    if (colon !== undefined) pieces.push(colon);
    end = match.index + whole.length;
  }
  pieces.push(text.slice(end));
  return pieces;
}
