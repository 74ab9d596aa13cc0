import { InvalidArgumentError } from "commander";

/** The `--port` of a server. @throws InvalidArgumentError */
export function portOf(text: string): number {
  const port = Number(text);
  if (/^\d+$/.test(text) && port <= 65_535) return port;
  throw new InvalidArgumentError("It takes a whole number from 0 to 65535.");
}
