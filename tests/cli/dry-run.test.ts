import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

const summaries = ["run", pipelines, "--export", "summaries"] as const;
const input = ["--input-json", '["One. Two.", "Three."]'] as const;

describe("flujo run --dry-run", () => {
  test("prices a pipeline with its input, and neither calls nor stores anything", async () => {
    const folder = new Folder();
    const { code, document } = await folder.json(...summaries, ...input, "--dry-run", "--budget", "$0.05");
    expect(document).toMatchObject({
      dryRun: true,
      pipeline: "summaries",
      verdict: "fits",
      budget: { costUsd: "0.05" },
      worst: { calls: 26, unbounded: [] },
      expected: null,
      places: [
        {
          place: "/summaries/each[]/summarise",
          model: "offline:extract",
          price: { date: "2026-11-01" },
          call: { unknownInput: [], outputTokens: 4_096 },
          times: [
            { what: "tries", n: 3 },
            { what: "items", n: 2 },
          ],
        },
      ],
    });
    expect(Number(document.worst.costUsd)).toBeLessThan(0.05);
    expect(code).toBe(0);
    expect(existsSync(join(folder.path, ".flujo"))).toBe(false);
  });

  test("names what is not known, and takes assumptions for it", async () => {
    const folder = new Folder();
    const { stdout, code } = await folder.flujo(...summaries, "--dry-run");
    expect(stdout).toContain("unbounded because /summaries/each has as many items as the list it gets");
    expect(stdout).toContain(
      "unbounded because the prompt of /summaries/each[]/summarise is made of what is not",
    );
    expect(stdout).toContain("There is no budget");
    expect(code).toBe(0);
    const assumed = await folder.json(
      ...summaries,
      "--dry-run",
      "--assume-items",
      "4",
      "--assume-tokens",
      "1000",
    );
    expect(assumed.document.worst).toMatchObject({ calls: 52, unbounded: [], costUsd: expect.any(String) });
  });

  test("tells what past runs of the same places cost, and forgets those of other ones", async () => {
    const folder = new Folder();
    const write = (system: string, name: string) =>
      folder.write(
        "pipe.ts",
        `import { agent, pipeline, step } from "flujo";
         export default pipeline("past", step("${name}", (text: string) => text)
           .to(agent("ask", { model: "offline:extract", system: "${system}" })));\n`,
      );
    write("Shorten.", "first");
    const dry = async () => (await folder.json("run", "pipe.ts", "--dry-run")).document;
    expect((await dry()).expected).toBeNull();
    const spent = [];
    for (const text of ["One. Two.", "A much longer text. It has two sentences."])
      spent.push(Number((await folder.json("run", "pipe.ts", "--input", text)).document.spent.costUsd));
    const { expected, places } = await dry();
    expect(expected).toMatchObject({ runs: 2, meanCalls: 1, mostUsd: expect.any(String) });
    expect(Number(expected.mostUsd)).toBe(Math.max(...spent));
    expect(places[0].expected).toEqual(expected);
    expect((await folder.flujo("run", "pipe.ts", "--dry-run")).stdout).toMatch(
      /on average of 2 runs; 95% cost/,
    );
    write("Shorten well.", "first");
    expect(await dry()).toMatchObject({ expected: null, places: [{ expected: null }] });
  });

  test.each([
    ["duplicate", [], "invalid-pipeline"],
    ["stranger", [], "invalid-pipeline"],
    ["count", ["--input", "text"], "invalid-input"],
  ])("exits 2 where the run would: %s", async (name, args, errorCode) => {
    const run = ["run", pipelines, "--export", name, "--dry-run", ...args];
    const { code, document } = await new Folder().json(...run);
    expect(document).toMatchObject({ status: "refused", error: { code: errorCode } });
    expect(code).toBe(2);
  });

  test("needs no key; a model without a price under a cost limit is refused", async () => {
    const folder = new Folder();
    const keyless = await folder.json("run", pipelines, "--export", "keyless", "--dry-run", "--budget", "$1");
    expect(keyless).toMatchObject({ code: 0, document: { verdict: "might-not-fit" } });
    const cannot = await folder.json(
      "run",
      pipelines,
      "--export",
      "keyless",
      "--dry-run",
      "--budget",
      "$0.00001",
    );
    expect(cannot).toMatchObject({ code: 0, document: { verdict: "cannot-fit" } });
    folder.write(
      "pipe.ts",
      'import { agent } from "flujo";\nexport default agent("ask", { model: "openai:no-such-model", system: "" });\n',
    );
    const unpriced = await folder.json("run", "pipe.ts", "--dry-run", "--budget", "$1");
    expect(unpriced).toMatchObject({ code: 2, document: { error: { code: "unpriced-model" } } });
    expect((await folder.json("run", "pipe.ts", "--dry-run")).document.worst).toMatchObject({
      costUsd: null,
    });
  });

  test("bounds vectors by the bytes of their texts, and images by the piece", async () => {
    const folder = new Folder();
    folder.write(
      "flujo.config.ts",
      'export default { models: { prices: { "openai:gpt-image-1": { image: "$0.04" } } } };\n',
    );
    folder.write(
      "pipe.ts",
      `import { embed, generateImage, parallel, pipeline } from "flujo";
       export default pipeline("both", parallel("sides", {
         index: embed("index", { model: "openai:text-embedding-3-small" }),
         poster: generateImage("poster", { model: "openai:gpt-image-1", prompt: "A poster", n: 3 }),
         other: generateImage("other", { model: "openai:dall-e-3", prompt: "A poster" }),
       }));\n`,
    );
    const run = ["run", "pipe.ts", "--dry-run", "--input-json", '["One.", "Two."]'];
    const { document } = await folder.json(...run);
    expect(document.worst.unbounded).toEqual(["openai:dall-e-3 has no known price"]);
    expect(document.places).toMatchObject([
      {
        model: "openai:text-embedding-3-small",
        price: { origin: "published" },
        call: { unknownInput: [], outputTokens: 0 },
      },
      { model: "openai:gpt-image-1", price: { usdPerImage: "0.04" }, worst: { costUsd: "0.36" } },
      { model: "openai:dall-e-3", price: null, worst: { costUsd: null } },
    ]);
    expect((await folder.flujo(...run)).stdout).toMatch(
      /openai:gpt-image-1 +an image: \$0\.04 +3 images x 3 tries/,
    );
    const refused = await folder.json(...run, "--budget", "$1");
    expect(refused).toMatchObject({
      code: 2,
      document: { error: { code: "unpriced-model", message: expect.stringContaining("openai:dall-e-3") } },
    });
    expect((await folder.flujo(...run, "--budget", "$1")).stderr).toContain('{ image: "$0.04" }');
    const { code, stderr } = await folder.flujo("validate", "pipe.ts");
    expect([code, stderr]).toEqual([2, expect.stringContaining("OPENAI_API_KEY")]);
  });
});
