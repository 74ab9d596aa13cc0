import { readFileSync } from "node:fs";

/** The version of this package. */
export function ownVersion(): string {
  const file = new URL(import.meta.resolve("flujo/package.json"));
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version; // our own package.json
}
