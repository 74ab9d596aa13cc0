/** The table of docs/providers.md is made of the claims the contract proves: what is not tested has no tick. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { claims } from "./contract.ts";
import { type Capability, type Subject, subjects } from "./subjects.ts";

const read = (path: string): string => readFileSync(join(import.meta.dirname, path), "utf8");
const page = read("../../docs/providers.md");

const capabilities = [...new Set(claims.map(({ capability }) => capability))];
const row = (cells: readonly string[]): string => `| ${cells.join(" | ")} |`;
const lacking = subjects.flatMap(({ name, lacks }) =>
  Object.entries(lacks).map(([capability, why]) => ({ name, capability, why })),
);

function table(): string {
  const head = subjects.map(({ name, file }) => `[${name}](../tests/providers/${file})`);
  const cell = ({ lacks }: Subject, capability: Capability) => (lacks[capability] === undefined ? "✓" : "no");
  return [
    row(["", ...head]),
    row(["---", ...subjects.map(() => ":---:")]),
    ...capabilities.map((capability) =>
      row([capability, ...subjects.map((subject) => cell(subject, capability))]),
    ),
  ].join("\n");
}

test("the table says what is proved, provider by capability", () => {
  expect(page).toContain(`\n${table()}\n`);
});

test("each capability is told by the titles of its tests", () => {
  for (const capability of capabilities) {
    const titles = claims.filter((claim) => claim.capability === capability).map(({ title }) => title);
    expect(page).toContain(`\n- **${capability}**: ${titles.join("; ")}.\n`);
  }
});

test("what is lacking is there with its reason", () => {
  for (const { capability, why } of lacking) expect(page).toContain(`${capability}: ${why}`);
});

test("each provider's tests are where the table says", () => {
  const names: Record<string, string> = { "openai.chat": "openaiChat" };
  for (const { name, file } of subjects) {
    expect(read(file)).toContain(`\ncontract(${names[name] ?? name});\n`);
  }
});
