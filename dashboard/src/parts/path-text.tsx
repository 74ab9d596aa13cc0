import { Fragment } from "react";

/** A path, which may be broken into lines where its parts begin. */
export function PathText({ path }: { readonly path: string }) {
  return path.split(/(?=[/[:@])/).map((part, i) => (
    // biome-ignore lint/suspicious/noArrayIndexKey: parts have nothing but their place
    <Fragment key={i}>
      {i > 0 && <wbr />}
      {part}
    </Fragment>
  ));
}
