import { mkdtemp, readdir, readFile, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { agent } from "../../agents/agent.ts";
import { pipeline } from "../../core/compose.ts";
import { improvables } from "../../engine/improvables.ts";
import { documentOf, patchBetween, type Values, valuesOf } from "./document.ts";
import {
  emptyOverlayFile,
  type OverlayFile,
  patchesInForce,
  standing,
  withApplied,
  withReverted,
} from "./overlay-file.ts";
import { changeOverlayFile, readOverlayFile } from "./overlay-on-disk.ts";
import { parsePatchFile, patchFile, patchFileText } from "./patch-file.ts";
import { applied } from "./pinned.ts";
import { promotion } from "./promotion.ts";
import { withOverlayFile } from "./with-overlay-file.ts";

const flow = pipeline(
  "desk",
  agent("answer", { model: "openai:gpt-4o-mini", system: "Answer.", temperature: 0.5 }),
);
const { fingerprint, ...document } = documentOf(flow);
const base = valuesOf(documentOf(flow)) as Values;
const at = "2026-01-01T00:00:00.000Z";

/** A patch from some values of the agent to others. */
function patch(to: object, from: Values = base) {
  const values = { ...from, "/desk/answer": { ...from["/desk/answer"], ...to } } as Values;
  const file = patchFile(
    { pipeline: document.pipeline, fingerprint, values: from },
    patchBetween(from, values),
  );
  return { file, values };
}
const first = patch({ system: "Answer briefly." });
const second = patch({ system: "Answer in a line.", prompt: "Q: {{input}}" }, first.values);
const other = patch({ temperature: 0 });

/** An overlay file with these applied, in order. */
const inForce = (...patches: readonly { readonly file: Parameters<typeof withApplied>[1] }[]): OverlayFile =>
  patches.reduce((file, one) => withApplied(file, one.file, { at, base }), emptyOverlayFile);

describe("a patch", () => {
  test("and its inverse lead there and back, whatever the values are", () => {
    const value = fc.oneof(
      fc.string(),
      fc.double({ noNaN: true, noDefaultInfinity: true }),
      fc.constant([{ a: 1 }]),
    );
    const fields = fc.dictionary(
      fc.constantFrom("system", "prompt", "a/b", "a~b", "tool:x", "examples"),
      value,
    );
    fc.assert(
      fc.property(fields, fields, (from, to) => {
        const [before, after] = [{ "/p/a[k]": from }, { "/p/a[k]": to }] as Values[];
        if (before === undefined || after === undefined) return;
        const { patch, inverse } = patchFile(
          { pipeline: "p", fingerprint: "f", values: before },
          patchBetween(before, after),
        );
        expect(applied(before, patch)).toEqual({ values: after });
        expect(applied(after, inverse)).toEqual({ values: before });
      }),
      { seed: 7 },
    );
  });

  test("is read as it was written, and not when somebody has edited it", async () => {
    const text = patchFileText(first.file);
    expect(await parsePatchFile(text, "flujo.patch.json")).toEqual(first.file);
    const edited = (from: string, to: string) => parsePatchFile(text.replace(from, to), "flujo.patch.json");
    await expect(edited("Answer briefly.", "Answer!")).rejects.toThrow("flujo.patch.json has been edited");
    await expect(edited('"version": 1', '"version": 2')).rejects.toThrow(
      "is no patch file: must be equal to constant at /version",
    );
    await expect(edited('"op": "replace"', '"op": "move"')).rejects.toThrow("is no patch file");
    await expect(edited("/~1desk~1answer/system", "/~1desk~1answer/system/0")).rejects.toThrow(
      "is no patch file",
    );
    await expect(edited('"fingerprint"', '"__proto__": { "x": 1 }, "fingerprint"')).rejects.toThrow(
      "__proto__",
    );
    await expect(parsePatchFile("{", "a.json")).rejects.toThrow("a.json is not JSON");
  });

  test("is of one pipeline and one change: the same change has the same id", () => {
    expect(patch({ system: "Answer briefly." }).file).toEqual(first.file);
    const elsewhere = patchFile({ pipeline: "till", fingerprint, values: base }, first.file.patch);
    expect(elsewhere.id).not.toBe(first.file.id);
    expect(first.file.id).toMatch(/^[0-9a-f]{12}$/);
  });
});

describe("an overlay", () => {
  test("has patches in force, each over the one before; what stands is one change a field", () => {
    const file = inForce(first, second, other);
    const patches = patchesInForce(file, "desk");
    expect(patches.map(({ id }) => id)).toEqual([first.file.id, second.file.id, other.file.id]);
    expect(standing(patches, base).overlay).toEqual([
      { op: "replace", path: "/~1desk~1answer/system", value: "Answer in a line." },
      { op: "replace", path: "/~1desk~1answer/temperature", value: 0 },
      { op: "add", path: "/~1desk~1answer/prompt", value: "Q: {{input}}" },
    ]);
    expect(patchesInForce(file, "till")).toEqual([]);
    expect(patchesInForce(file, "__proto__")).toEqual([]);
  });

  test("takes the last one back, or any that no later one builds on", () => {
    const file = inForce(first, second, other);
    const back = (id?: string) => withReverted(file, "desk", { at, base }, id);
    expect(patchesInForce(back().file, "desk")).toEqual([first.file, second.file]);
    expect(patchesInForce(back(second.file.id.slice(0, 6)).file, "desk")).toEqual([first.file, other.file]);
    expect(() => back(first.file.id)).toThrow(`the patch ${second.file.id} builds on ${first.file.id}`);
    expect(() => back("f00d")).toThrow('no patch f00d is in force for "desk"');
    expect(() => withReverted(emptyOverlayFile, "desk", { at, base })).toThrow("no patch is in force");
  });

  test("takes a patch again that was taken back, and keeps all that happened", () => {
    const { file } = withReverted(inForce(first), "desk", { at, base });
    const again = withApplied(file, first.file, { at, base });
    expect(again.pipelines.desk?.map(({ kind }) => kind)).toEqual(["applied", "reverted", "applied"]);
    expect(patchesInForce(again, "desk")).toEqual([first.file]);
  });

  test("refuses a patch that is in force, does not fit, or was not promoted", () => {
    const change = { at, base };
    expect(() => withApplied(inForce(first), first.file, change)).toThrow("is in force already");
    expect(() => withApplied(emptyOverlayFile, second.file, change)).toThrow(
      `"system" of /desk/answer is not what it was when the patch ${second.file.id} was made`,
    );
    const gone = { "/desk/else": {} };
    expect(() => withApplied(emptyOverlayFile, first.file, { at, base: gone })).toThrow(
      "/desk/answer is gone",
    );
    const score = { caseId: "a", tags: [], score: 0.5, picoUsd: "1" };
    const evidence = {
      dataset: { name: "d", hash: "h" },
      cases: { train: 1, validation: 1, test: 1 },
      scorers: ["exact"],
      promotion: promotion([score], [score], { look: 1 }),
      lineage: [],
      reflector: null,
      seed: 1,
      rollouts: 1,
      costUsd: "0",
    };
    const unproven = { ...first.file, evidence };
    expect(() => withApplied(emptyOverlayFile, unproven, change)).toThrow(
      "was not promoted (no-gain): It is not better",
    );
    expect(
      patchesInForce(withApplied(emptyOverlayFile, unproven, { ...change, force: true }), "desk"),
    ).toHaveLength(1);
  });
});

describe("the file of an overlay", () => {
  const folder = () => mkdtemp(join(tmpdir(), "flujo-overlay-"));

  test("is read as it was written; one that is not there says nothing", async () => {
    const path = join(await folder(), "desk.overlay.json");
    expect(await readOverlayFile(path)).toEqual(emptyOverlayFile);
    await changeOverlayFile(path, () => inForce(first, second));
    expect(await readOverlayFile(path)).toEqual(inForce(first, second));
    expect(await readFile(path, "utf8")).toMatch(/^\{\n {2}"version": 1,[\s\S]*\}\n$/);
  });

  test("holds many patches of long prompts", async () => {
    const path = join(await folder(), "desk.overlay.json");
    let values = base;
    for (let i = 0; i < 12; i += 1) {
      const next = patch({ system: `${i}`.padEnd(50_000, "Answer. ") }, values);
      await changeOverlayFile(path, (file) => withApplied(file, next.file, { at, base }));
      values = next.values;
    }
    expect(standing(patchesInForce(await readOverlayFile(path), "desk"), base).values).toEqual(values);
  });

  test("keeps every change of many at once, and leaves nothing beside it", async () => {
    const path = join(await folder(), "desk.overlay.json");
    const names = Array.from({ length: 12 }, (_, i) => `desk ${i}`);
    const change = (pipeline: string) =>
      changeOverlayFile(path, (file) =>
        withApplied(file, patchFile({ pipeline, fingerprint, values: base }, first.file.patch), { at, base }),
      );
    await Promise.all(names.map(change));
    const file = await readOverlayFile(path);
    expect(Object.keys(file.pipelines).sort()).toEqual(names.toSorted());
    expect(await readdir(join(path, ".."))).toEqual(["desk.overlay.json"]);
  });

  test("stays as it was when a change fails, or was cut off in the middle", async () => {
    const path = join(await folder(), "desk.overlay.json");
    await changeOverlayFile(path, () => inForce(first));
    const before = await readFile(path, "utf8");
    const failing = changeOverlayFile(path, (file) => withApplied(file, first.file, { at, base }));
    await expect(failing).rejects.toThrow("in force already");
    expect(await readFile(path, "utf8")).toBe(before);
    await writeFile(`${path}.lock`, '{ "version": 1, "pipe'); // as of a process that was killed while it wrote
    expect(await readOverlayFile(path)).toEqual(inForce(first));
    await expect(changeOverlayFile(path, (file) => file)).rejects.toThrow(
      "another process is changing desk.overlay.json",
    );
    expect(await readFile(path, "utf8")).toBe(before);
  });

  test("is over a pipeline in a program, and refused when the pipeline is another by now", async () => {
    const path = join(await folder(), "desk.overlay.json");
    expect(await withOverlayFile(flow, path)).toBe(flow);
    await changeOverlayFile(path, () => inForce(first, other));
    const over = await withOverlayFile(flow, path);
    expect(improvables(over)["/desk/answer"]).toMatchObject({ system: "Answer briefly.", temperature: 0 });
    const edited = pipeline("desk", agent("answer", { model: "openai:gpt-4o-mini", system: "Answer well." }));
    await expect(withOverlayFile(edited, path)).rejects.toThrow(
      `desk.overlay.json does not fit the pipeline "desk" any more: "system" of /desk/answer is not what it was when the patch ${first.file.id} was made`,
    );
    const untouched = pipeline(
      "till",
      agent("answer", { model: "openai:gpt-4o-mini", system: "Answer well." }),
    );
    expect(await withOverlayFile(untouched, path)).toBe(untouched);
    const good = await readFile(path, "utf8");
    const broken = [
      "{}",
      "[]",
      good.replace('"version": 1', '"version": 2'),
      good.replace('"kind": "applied"', '"kind": "taken"'),
      good.replace('"op": "test"', '"op": "copy"'),
      good.replace("/~1desk~1answer/system", "/~1desk~1answer/system/0"),
      good.replace(/"value": "Answer\.",?/, ""),
      good.replace('"pipelines": {', '"pipelines": { "__proto__": [],'),
    ];
    for (const text of broken) {
      await writeFile(path, text);
      await expect(withOverlayFile(flow, path)).rejects.toThrow(/^desk\.overlay\.json (is no|is not|cannot)/);
    }
  });
});
