import { appendFile, readFile } from "node:fs/promises";
import { basename } from "node:path";
import { InvalidDatasetError } from "../../core/errors.ts";
import type { Case } from "./case.ts";
import { type Dataset, formatOf, parseDataset } from "./dataset.ts";

/**
 * The dataset of a file: JSONL, JSON, CSV or YAML, by the end of its name.
 *
 * ```ts
 * const dataset = await readDataset("questions.jsonl");
 * for (const { id, input } of dataset.cases) console.log(id, input);
 * ```
 *
 * @throws InvalidDatasetError with all that is wrong, line by line.
 */
export async function readDataset(file: string): Promise<Dataset> {
  return parseDataset(await textOf(file), { name: basename(file) });
}

async function textOf(file: string): Promise<string> {
  let bytes: Buffer;
  try {
    bytes = await readFile(file);
  } catch (error) {
    throw new InvalidDatasetError(file, [{ what: `it cannot be read: ${(error as Error).message}` }], {
      cause: error,
    });
  }
  try {
    return new TextDecoder("utf-8", { fatal: true }).decode(bytes);
  } catch {
    throw new InvalidDatasetError(file, [{ what: "it is not UTF-8 text" }]);
  }
}

/**
 * Adds a case at the end of a JSONL file, which is made when there is none.
 *
 * ```ts
 * await addCase("questions.jsonl", { id: "r-17", input: "2 + 2", expected: "4", tags: ["from production"] });
 * ```
 *
 * @returns how many cases the file has now.
 * @throws InvalidDatasetError when the file is no dataset, or has a case of that id.
 */
export async function addCase(file: string, one: Case): Promise<number> {
  if (formatOf(file) !== "jsonl") {
    throw new InvalidDatasetError(file, [{ what: "cases are added to JSONL files" }], {
      hint: "Name a file that ends in .jsonl.",
    });
  }
  const before = await textOf(file).catch((error: unknown) => {
    if (isMissing(error)) return "";
    throw error;
  });
  const gap = before === "" || before.endsWith("\n") ? "" : "\n";
  const line = `${JSON.stringify(one)}\n`;
  const { cases } = await parseDataset(before + gap + line, { name: basename(file) });
  await appendFile(file, gap + line);
  return cases.length;
}

const isMissing = (error: unknown): boolean =>
  error instanceof InvalidDatasetError &&
  (error.cause as NodeJS.ErrnoException | undefined)?.code === "ENOENT"; // Node's errors have one
