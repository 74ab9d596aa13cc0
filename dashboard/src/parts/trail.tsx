import { Fragment } from "react";
import { Link } from "wouter";

/** The way to where one is, each step of it a link. */
export function Trail({
  steps,
}: {
  readonly steps: readonly { readonly name: string; readonly href: string }[];
}) {
  return (
    <p className="trail">
      {steps.map(({ name, href }, i) => (
        <Fragment key={href}>
          {i > 0 && <span aria-hidden="true"> / </span>}
          <Link href={href} className="text-link">
            {name}
          </Link>
        </Fragment>
      ))}
    </p>
  );
}
