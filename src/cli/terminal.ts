/** Where a command writes: results to stdout, everything for people to stderr. */
import type { styleText } from "node:util";

type Style = Parameters<typeof styleText>[0];

/** Environment variables that hold secrets, by their names; shorter values are too common to be hidden. */
const secretName = /(_KEY|_TOKEN|_SECRET|_PASSWORD|^PASSWORD)$/;
const shortestSecret = 8;

/** The text without the secrets of this process's environment, whoever put them there. */
export function redact(text: string, env: NodeJS.ProcessEnv = process.env): string {
  let clean = text;
  for (const [name, value] of Object.entries(env)) {
    if (value === undefined || value.length < shortestSecret || !secretName.test(name)) continue;
    clean = clean.replaceAll(value, `[${name}]`);
  }
  return clean;
}

/** Text from outside (errors, names, outputs) that is shown on a terminal: control characters are made visible. */
export function printable(text: string): string {
  return text.replace(
    /(?![\n\t])\p{Cc}/gu,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, "0")}`,
  );
}

/** One line for people. */
export function say(line = ""): void {
  process.stderr.write(`${redact(printable(line))}\n`);
}

/** A line that holds styles already made by `paint`. */
export function sayStyled(line: string): void {
  process.stderr.write(`${redact(line)}\n`);
}

/** Colours, where stderr takes them; NO_COLOR and FORCE_COLOR are heeded. */
export function paint(style: Style, text: string): string {
  const stream = process.stderr;
  if (!stream.isTTY && process.env.FORCE_COLOR === undefined) return text;
  return process.getBuiltinModule("node:util").styleText(style, text, { stream }); // dear to load where nothing is painted
}

/** Writes a result, and waits until the reader has taken it: 50 MB do not fit a pipe at once. */
export function result(text: string): Promise<void> {
  return new Promise((resolve) => {
    process.stdout.write(text, () => resolve());
  });
}

/** A reader that went away (`flujo … | head -1`) is no error: what the run did is recorded. */
export function forgiveClosedPipes(): void {
  for (const stream of [process.stdout, process.stderr]) {
    stream.on("error", (error: NodeJS.ErrnoException) => {
      if (error.code !== "EPIPE") throw error;
    });
  }
}
