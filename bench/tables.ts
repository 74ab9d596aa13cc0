/** Tables of figures, and where they are kept: between two marks of a page of the docs. */
import { readFileSync, writeFileSync } from "node:fs";
import { arch, cpus, platform, release, totalmem } from "node:os";
import { join, relative } from "node:path";
import { root } from "./measure.ts";

export function table(head: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]) => `| ${cells.map((cell) => cell.trim()).join(" | ")} |`;
  return [line(head), line(head.map((_, i) => (i === 0 ? "---" : "---:"))), ...rows.map(line)].join("\n");
}

/** @param stores what else took part: `SQLite 3.53.4`. */
export function machine(stores = `SQLite ${process.versions.sqlite}`): string {
  const flujo = JSON.parse(readFileSync(join(root, "package.json"), "utf8")).version;
  const gib = Math.round(totalmem() / 2 ** 30);
  return [
    `Measured ${new Date().toISOString().slice(0, 10)}: flujo ${flujo}, Node ${process.version}, ${stores}`,
    `${cpus().length} x ${cpus()[0]?.model.trim()}, ${gib} GiB, ${platform()} ${release()} ${arch()}.`,
  ].join("; ");
}

export function show(title: string, text: string): void {
  console.log(`\n## ${title}\n\n${text}`);
}

/** Puts the text between `<!-- NAME -->` and `<!-- /NAME -->` of a file. @throws Error for a file without these marks. */
export function write(path: string, name: string, text: string): void {
  const [before, rest] = readFileSync(path, "utf8").split(`<!-- ${name} -->`);
  const after = rest?.split(`<!-- /${name} -->`)[1];
  if (after === undefined)
    throw new Error(`${relative(root, path)} has lost its marks <!-- ${name} --> ... <!-- /${name} -->`);
  writeFileSync(path, `${before}<!-- ${name} -->\n\n${text}\n\n<!-- /${name} -->${after}`);
}
