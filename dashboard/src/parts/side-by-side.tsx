import type { ReactNode } from "react";
import { Link } from "wouter";

/** What is said of each side, line by line. */
export type Lines<Side> = readonly (readonly [name: string, of: (side: Side) => ReactNode])[];

/** Two things at a glance, each a column under a link to it. */
export function SideBySide<Side>({
  sides,
  linkOf,
  lines,
}: {
  readonly sides: readonly [Side, Side];
  readonly linkOf: (side: Side) => { readonly name: string; readonly href: string };
  readonly lines: Lines<Side>;
}) {
  const [left, right] = sides;
  const head = (side: Side): ReactNode => {
    const { name, href } = linkOf(side);
    return (
      <th scope="col">
        <Link href={href} className="text-link mono">
          {name}
        </Link>
      </th>
    );
  };
  return (
    <table className="beside card">
      <thead>
        <tr>
          <td />
          {head(left)}
          {head(right)}
        </tr>
      </thead>
      <tbody>
        {lines.map(([name, of]) => (
          <tr key={name}>
            <th scope="row">{name}</th>
            <td>{of(left)}</td>
            <td>{of(right)}</td>
          </tr>
        ))}
      </tbody>
    </table>
  );
}
