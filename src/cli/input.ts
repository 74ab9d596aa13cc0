import { readFileSync } from "node:fs";
import { InvalidOptionError } from "../core/errors.ts";
import { isJsonObject, type Json } from "../core/json.ts";

/** Ways to hand a run its input. */
export interface InputFlags {
  /** A text; `@FILE`: a file's text; `-`: standard input's. */
  readonly input?: string;
  readonly inputJson?: string;
}

/**
 * The input of a run; undefined when no flag says one, and the pipeline's schema decides.
 *
 * @throws InvalidOptionError
 */
export async function inputOf({ input, inputJson }: InputFlags): Promise<unknown> {
  if (input !== undefined && inputJson !== undefined) {
    throw new InvalidOptionError("--input and --input-json are both there", {
      hint: "A run has one input: keep one.",
    });
  }
  if (inputJson !== undefined) return jsonOf(inputJson, "--input-json");
  if (input === "-") return textOf(await standardInput(), "standard input");
  return input?.startsWith("@") ? textOf(contentOf(input.slice(1)), input.slice(1)) : input;
}

/** The fields of `--state-json`. @throws InvalidOptionError */
export function stateOf(text: string | undefined): object | undefined {
  if (text === undefined) return undefined;
  const state = jsonOf(text, "--state-json");
  if (isJsonObject(state)) return state;
  throw new InvalidOptionError("--state-json is not an object", {
    hint: `Name the fields: --state-json '{ "seen": [] }'`,
  });
}

/** @throws InvalidOptionError */
export function jsonOf(text: string, flag: string): Json {
  try {
    return JSON.parse(text) as Json; // what JSON.parse makes is JSON
  } catch (error) {
    throw new InvalidOptionError(`${flag} is not JSON: ${(error as Error).message}`, {
      hint: `Single quotes keep the shell away from it: ${flag} '{ "name": "Ada" }'`,
    });
  }
}

async function standardInput(): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer); // no encoding is set
  return Buffer.concat(chunks);
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (error) {
    throw new InvalidOptionError(`the input cannot be read: ${(error as Error).message}`, {
      hint: "--input @FILE takes the text of a file, --input - that of standard input.",
    });
  }
}

function textOf(bytes: Buffer, name: string): string {
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidOptionError(`${name} is not UTF-8 text, and an input is`, {
      hint: "Convert it first, as with iconv.",
    });
  }
}
