import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { FlujoError } from "../../core/errors.ts";
import { CommandError } from "../letter.ts";

/** A place in a source file; lines and columns count from 1. */
interface Place {
  readonly file: string;
  readonly line: number;
  readonly column: number;
}

/** What went wrong while a file of the user's was loaded: where exactly, and what. */
export function loadFault(error: unknown, file: string): CommandError {
  if (!(error instanceof Error))
    return new CommandError("cannot-load", `${file} threw ${String(error)} while it was loaded`);
  const { name, message } = plain(error);
  const place = parsePlace(error) ?? markedPlace(error) ?? missingPlace(error) ?? thrownPlace(error);
  const at = place === undefined ? `${file} ` : `${place.file}:${place.line}:${place.column} `;
  return new CommandError("cannot-load", `${at}${name}: ${message}`, hintOf(error));
}

/** An error that the user's own code threw, outside any step: in a state, a schema, a prompt. */
export function usersFault(error: unknown): CommandError | undefined {
  if (!(error instanceof Error) || FlujoError.isInstance(error)) return undefined;
  const frame = frames(error).find((file) => !file.startsWith("node:"));
  return frame === undefined || isOurs(frame) ? undefined : loadFault(error, "");
}

/** The same of an error that was thrown where nobody hears it: nothing of it may point to us. */
export function strayFault(thrown: unknown): string | undefined {
  const fault = usersFault(thrown);
  if (fault !== undefined) return fault.message;
  const isOfOurs = thrown instanceof Error && frames(thrown).some((file) => isOurs(file));
  return isOfOurs ? undefined : String(thrown);
}

const frames = (error: Error): string[] =>
  [...(error.stack ?? "").matchAll(/^\s+at (?:.*\()?((?:file:\/\/|node:)?[^()]+?):\d+:\d+\)?$/gm)].map(
    ([, file]) => file as string,
  );

/** Name and message without the places that are told apart from them. */
function plain(error: Error): { readonly name: string; readonly message: string } {
  const parse = /^ParseError: (.*?)\s*\n/s.exec(error.message);
  if (parse) return { name: "SyntaxError", message: parse[1] as string };
  return { name: error.name, message: error.message.split("\nRequire stack:")[0] as string };
}

/** jiti: `ParseError: … \n /folder/file.ts:2:10`, the column counted from 0. */
function parsePlace(error: Error): Place | undefined {
  const found = /^ParseError: .*\n (.+):(\d+):(\d+)\s*$/s.exec(error.message);
  if (!found) return undefined;
  const [, file, line, column] = found as unknown as [string, string, string, string]; // three groups
  return { file, line: Number(line), column: Number(column) + 1 };
}

/** Node: `file:///folder/file.ts:2`, some lines of source, and a caret under the place. */
function markedPlace(error: Error): Place | undefined {
  const lines = (error.stack ?? "").split("\n");
  const head = /^((?:file:\/\/|\/|[A-Za-z]:\\).+):(\d+)$/.exec(lines[0] ?? "");
  const caret = lines.findIndex((line) => /^\s*\^+\s*$/.test(line));
  if (!head || caret < 0) return undefined;
  return {
    file: pathOf(head[1] as string),
    line: Number(head[2]),
    column: (lines[caret] as string).indexOf("^") + 1,
  };
}

/** The import of something that is not there: where in the file it is written. */
function missingPlace(error: Error): Place | undefined {
  const found = /^Cannot find (?:package|module) '([^']+)' imported from (.+)$/m.exec(error.message);
  const required = /^Cannot find module '([^']+)'\nRequire stack:\n- (.+)$/m.exec(error.message);
  const [, name, importer] = found ?? required ?? [];
  if (name === undefined || importer === undefined) return undefined;
  try {
    const file = pathOf(importer);
    const lines = readFileSync(file, "utf8").split("\n");
    const short = name.slice(name.lastIndexOf("/") + 1);
    const line = lines.findIndex((text) => /\b(import|from|require)\b/.test(text) && text.includes(short));
    return line < 0
      ? undefined
      : { file, line: line + 1, column: Math.max(0, (lines[line] as string).search(/["']/)) + 1 };
  } catch {
    return undefined;
  }
}

/** The first frame that is neither Node's nor a package's. */
function thrownPlace(error: Error): Place | undefined {
  for (const frame of (error.stack ?? "").split("\n")) {
    const found = /^\s+at (?:.*\()?((?:file:\/\/)?(?:\/|[A-Za-z]:\\).+?):(\d+):(\d+)\)?$/.exec(frame);
    if (!found || isOurs(found[1] as string)) continue;
    return { file: pathOf(found[1] as string), line: Number(found[2]), column: Number(found[3]) };
  }
  return undefined;
}

/** This package lies two folders up: `dist/cli/main.js`, or three as a source. */
const own = new URL("../", import.meta.url).href;
const isOurs = (file: string): boolean =>
  file.includes("/node_modules/") || file.startsWith(own) || file.startsWith(fileURLToPath(own));

const pathOf = (file: string): string => (file.startsWith("file:") ? fileURLToPath(file) : file);

function hintOf(error: Error): string | undefined {
  if (FlujoError.isInstance(error)) return error.hint;
  if ("code" in error && error.code === "ERR_UNKNOWN_FILE_EXTENSION")
    return "A pipeline is a TypeScript or JavaScript file.";
  const missing = /^Cannot find (?:package|module) '((?:@[^/']+\/)?[^./'][^/']*)/.exec(error.message)?.[1];
  return missing === undefined ? undefined : `npm install ${missing}`;
}
