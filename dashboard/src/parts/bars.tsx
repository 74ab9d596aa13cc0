import { partOf } from "../words/money.ts";
import { Money } from "./figures.tsx";
import { PathText } from "./path-text.tsx";

/** A table of amounts, each with a bar as long as its part of the whole. */
export function Bars({
  caption,
  head,
  rows,
  whole,
  figure,
}: {
  readonly caption: string;
  readonly head: readonly [name: string, amount: string];
  readonly rows: readonly { readonly name: string; readonly usd: string }[];
  readonly whole: string;
  /** What the amounts are called: `costs.model`. */
  readonly figure: string;
}) {
  return (
    <table className="bars">
      <caption className="unseen">{caption}</caption>
      <thead>
        <tr>
          <th scope="col">{head[0]}</th>
          <td aria-hidden="true" />
          <th scope="col">{head[1]}</th>
        </tr>
      </thead>
      <tbody>
        {rows.map(({ name, usd }) => (
          <tr key={name}>
            <th scope="row" className="mono">
              <PathText path={name} />
            </th>
            <td aria-hidden="true">
              <span className="bar-of" style={{ width: `${partOf(usd, whole) * 100}%` }} />
            </td>
            <td>
              <Money usd={usd} name={`${figure} ${name}`} />
            </td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
