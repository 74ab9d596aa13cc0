import type { VersionView } from "../../../src/client/types.ts";

/** `reports@2.1.0 (1a2b3c4)`: where code is from, as far as it is known. */
export function releaseText({ package: name, commit }: VersionView["releases"][number]): string {
  const short = commit?.slice(0, 7);
  return name === undefined ? (short ?? "") : short === undefined ? name : `${name} (${short})`;
}
