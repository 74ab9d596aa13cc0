import { spawnSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { describe, expect, test } from "vitest";

/** What users import: each function, class and constant it offers is to be documented, with an example. */
const doors = [
  "index.ts",
  "stores/memory.ts",
  "stores/file.ts",
  "stores/sqlite.ts",
  "stores/postgres.ts",
  "stores/redis.ts",
  "dispatch/pg-boss.ts",
  "dispatch/bullmq.ts",
  "dispatch/restate.ts",
  "events/sinks.ts",
  "client/index.ts",
  "telemetry/index.ts",
  "evals/index.ts",
  "vitest/index.ts",
];
const root = join(import.meta.dirname, "..");
const textOf = (path: string): string => readFileSync(join(root, "src", path), "utf8");

interface Documented {
  readonly name: string;
  readonly file: string;
  readonly comment: string;
  readonly examples: readonly string[];
}

/** The documented functions, classes and constants of one source file. */
function documentedIn(file: string): Documented[] {
  const pattern =
    /(?:\/\*\*((?:[^*]|\*(?!\/))*)\*\/\s*)?^export (?:async )?(?:function\*?|class|const) (\w+)/gm;
  return [...textOf(file).matchAll(pattern)].map(([, comment = "", name = ""]) => {
    const text = comment.replace(/^[ \t]*\* ?/gm, "");
    const examples = [...text.matchAll(/^```ts\n([\s\S]*?)^```$/gm)].map(([, code = ""]) => code);
    return { name, file, comment: text, examples };
  });
}

/** What a door offers, with the comment from where it is made; overloads share the first one. */
function offeredBy(door: string): Documented[] {
  const own = documentedIn(door);
  const others = [...textOf(door).matchAll(/^export (?:\{([^}]*)\}|\*) from "(\.[^"]+)"/gm)].flatMap(
    ([, names = "", from = ""]) => {
      const wanted = names
        .split(",")
        .map((name) => name.trim())
        .filter((name) => name !== "" && !name.startsWith("type "));
      const made = documentedIn(join(dirname(door), from));
      return wanted.map(
        (name) => made.find((one) => one.name === name) ?? { name, file: from, comment: "", examples: [] },
      );
    },
  );
  const all = [...own, ...others];
  return all.filter((one, i) => all.findIndex(({ name }) => name === one.name) === i);
}

const offered = doors.flatMap(offeredBy);

describe("everything users import", () => {
  test("is found at all", () => {
    expect(offered.map(({ name }) => name)).toEqual(expect.arrayContaining(["step", "Flujo", "sqlite"]));
  });

  // One example for all errors stands at their root, and their tree at the top of the file.
  test.each(offered.filter(({ file }) => !file.endsWith("errors.ts")))(
    "$name is documented, with an example",
    ({ comment, examples }) => {
      expect(comment).not.toBe("");
      expect(examples).not.toEqual([]);
    },
  );
});

/** Names that examples may use without saying where they come from. */
const given = `
import * as z from "zod";
import { agent, branchOn, concat, daily, decimalUsd, defineConfig, embed, Flujo, FlujoError, generateImage, humanInTheLoop, improvables, withOverlay, lastWins, loopUntil, mapOver, models, parallel, pipeline, sleep, sleepUntil, step, sum, tool, union, waitFor, type StepContext } from "flujo";
import { addCase, agreement, casesNeeded, checkPatch, documentOf, improvementReport, parsePatchFile, patchBetween, patchesInForce, patchFileOf, patchFileText, patchReport, promotion, readOverlayFile, reportMarkdown, valuesOf, withOverlayFile, compare, contains, cost, editSimilarity, embeddingSimilarity, exact, experiment, experimentInput, fits, gate, gateAt, holm, improve, improveInput, json, judge, latency, looksAt, matches, meanInterval, numeric, pairedDifference, pairwise, parseDataset, readDataset, readExperiment, readImprovement, scorer, splitOf, summaryOf, tokenSimilarity } from "flujo/evals";
import { readFile } from "node:fs/promises";
import { file } from "flujo/file";
import { memory } from "flujo/memory";
import { postgres } from "flujo/postgres";
import { redis } from "flujo/redis";
import { pgBoss } from "flujo/pg-boss";
import { bullmq } from "flujo/bullmq";
import { restate } from "flujo/restate";
import { sqlite } from "flujo/sqlite";
declare const greet: import("flujo").Step<string, string>;
`;

test("the examples compile", () => {
  const examples = offered.flatMap(({ name, examples }) =>
    examples.map((code, i) => ({ name: `${name}-${i}`, code })),
  );
  const cache = join(root, "node_modules/.cache");
  mkdirSync(cache, { recursive: true });
  const folder = mkdtempSync(join(cache, "flujo-examples-"));
  try {
    writeFileSync(join(folder, "package.json"), '{ "type": "module" }');
    for (const { name, code } of examples) {
      // Its own imports and names come before what is given.
      const own = new Set(
        [...code.matchAll(/\b(?:import \{([^}]*)\}|(?:const|function|class) (\w+))/g)].flatMap(
          ([, list, one]) => one ?? (list ?? "").split(",").map((part) => part.trim().replace(/^type /, "")),
        ),
      );
      const rest = given.replace(
        /\{([^}]*)\}/g,
        (_, list: string) =>
          `{ ${list
            .split(",")
            .filter((part) => !own.has(part.trim()))
            .join(", ")} }`,
      );
      const preamble = own.has("greet") ? rest.replace(/^declare const greet.*$/m, "") : rest;
      writeFileSync(join(folder, `${name}.mts`), `${preamble}\n${code}\nexport {};\n`);
    }
    const options = { noUnusedLocals: false, noUnusedParameters: false };
    writeFileSync(
      join(folder, "tsconfig.json"),
      JSON.stringify({
        extends: resolve(root, "tsconfig.json"),
        compilerOptions: options,
        include: ["*.mts"],
      }),
    );
    const { stdout } = spawnSync(
      process.execPath,
      [join(root, "node_modules/typescript/bin/tsc"), "-p", folder, "--pretty", "false"],
      { encoding: "utf8" },
    );
    expect(stdout).toBe("");
  } finally {
    rmSync(folder, { recursive: true });
  }
});
