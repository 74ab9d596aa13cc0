import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, test } from "vitest";
import { Folder, pipelines } from "./command.ts";

const config = `export default { models: { prices: {
  "my:own": { input: "$1", output: "$2", source: "contract", date: "2020-01-01" },
  "openai:gpt-4o": { input: "$7", output: "$8" },
} } };\n`;
const filed = JSON.stringify({
  source: "price list",
  date: "2026-11-01",
  prices: {
    "openai:gpt-4o": { input: "3", output: "4" },
    "openai:gpt-4o-mini": { input: "0.15000001", output: "$0.7", reasoning: "0.9" },
  },
});

describe("flujo prices list", () => {
  test("shows published prices with their tiers, source and date, and marks the user's own", async () => {
    const folder = new Folder();
    folder.write("flujo.config.ts", config);
    const { code, stdout } = await folder.flujo("prices", "list", "gpt-5.4");
    expect(code).toBe(0);
    expect(stdout).toMatch(
      /^openai:gpt-5\.4 +\$2\.5 +\$15 +\$0\.25 +2026-09-23 +@pydantic\/genai-prices 0\.1\.8$/m,
    );
    expect(stdout).toMatch(/^ {2}above 271,999 input tokens +\$5 +\$22\.5/m);
    expect((await folder.flujo("prices", "list", "MY:*")).stdout).toMatch(
      /^my:own \(yours\) +\$1 +\$2 +2020-01-01 +contract$/m,
    );
  });

  test("finds the exact name of a model the list has under another spelling", async () => {
    const { document } = await new Folder().json("prices", "list", "openai:gpt-4o-2024-08-06");
    expect(document.prices).toMatchObject([{ model: "openai:gpt-4o-2024-08-06", origin: "published" }]);
  });

  test("says so when nobody knows one", async () => {
    const { code, stderr } = await new Folder().flujo("prices", "list", "no-such-thing");
    expect(stderr).toContain('There is no price of a model like "no-such-thing"');
    expect(code).toBe(0);
  });
});

describe("flujo prices update", () => {
  test("keeps a file's prices in the folder: under those of the code, over the published ones", async () => {
    const folder = new Folder();
    folder.write("flujo.config.ts", config);
    folder.write("new.json", filed);
    const first = await folder.flujo("prices", "update", "--from", "new.json");
    expect(first).toMatchObject({
      code: 0,
      stderr: expect.stringContaining("2 new, 0 changed, 0 as they were"),
    });
    const { document } = await folder.json("prices", "list", "openai:gpt-4o*");
    const of = (model: string) => document.prices.find((one: { model: string }) => one.model === model);
    expect(of("openai:gpt-4o")).toMatchObject({ own: true, origin: "code", usdPerMillion: [{ input: "7" }] });
    expect(of("openai:gpt-4o-mini")).toMatchObject({
      own: false,
      origin: "file",
      source: "price list",
      date: "2026-11-01",
      usdPerMillion: [{ input: "0.15000001", output: "0.7", reasoning: "0.9" }],
    });
    const again = await folder.json("prices", "update", "--from", "new.json");
    expect(again.document).toMatchObject({ added: [], changed: [], unchanged: 2 });
  });

  test("refuses a wrong file by line and field, and leaves the old prices as they were", async () => {
    const folder = new Folder();
    folder.write("good.json", filed);
    await folder.flujo("prices", "update", "--from", "good.json");
    const before = readFileSync(join(folder.path, "flujo.prices.json"), "utf8");
    folder.write(
      "bad.yaml",
      "source: s\ndate: 2026-11-01\nprices:\n  a:b:\n    input: 1.5\n    output: '2'\n",
    );
    const { code, stderr } = await folder.flujo("prices", "update", "--from", "bad.yaml");
    expect(stderr).toContain('line 5: prices."a:b".input is 1.5; write it as a text: "1.5"');
    expect(code).toBe(2);
    expect(readFileSync(join(folder.path, "flujo.prices.json"), "utf8")).toBe(before);
    expect(await folder.flujo("prices", "update", "--from", "nowhere.json")).toMatchObject({ code: 2 });
  });

  test("what it took is what runs are charged by", async () => {
    const folder = new Folder();
    const dear = {
      source: "dear",
      date: "2026-11-01",
      prices: { "local:m": { input: "0", output: "1000000" } },
    };
    folder.write("dear.json", JSON.stringify(dear));
    folder.write(
      "flujo.config.ts",
      `import { model } from "./model.ts";\nexport default { models: { providers: { local: () => model } } };\n`,
    );
    folder.write("model.ts", ownModel);
    folder.write(
      "pipe.ts",
      `import { agent } from "flujo";\nexport default agent("ask", { model: "local:m", system: "" });\n`,
    );
    const run = () => folder.json("run", "pipe.ts", "--input", "x", "--budget", "$5000");
    expect((await run()).document).toMatchObject({ status: "refused", error: { code: "unpriced-model" } });
    await folder.flujo("prices", "update", "--from", "dear.json");
    expect((await run()).document).toMatchObject({ status: "completed", spent: { costUsd: "3" } });
  });
});

/** A model that answers "yes" and says it took 3 tokens. */
const ownModel = `export const model = {
  specificationVersion: "v3", provider: "local", modelId: "m", supportedUrls: {},
  doGenerate: async () => ({
    content: [{ type: "text", text: "yes" }], finishReason: { unified: "stop" }, warnings: [],
    usage: { inputTokens: { total: 1 }, outputTokens: { total: 3 } },
  }),
  doStream: async () => { throw new Error("not streamed"); },
};\n`;

describe("flujo prices check", () => {
  test("tells the price of every model a pipeline names, with its places and age", async () => {
    const { code, document } = await new Folder().json("prices", "check", pipelines, "--export", "keyless");
    expect(document.models).toMatchObject([
      {
        model: expect.stringMatching(/^openai:/),
        places: [expect.stringMatching(/^\/keyless/)],
        price: { source: "@pydantic/genai-prices 0.1.8", date: "2026-09-23" },
        ageDays: expect.any(Number),
        isOld: false,
      },
    ]);
    expect(code).toBe(0);
  });

  test("exits 2 for a model without a price, with the remedy", async () => {
    const { code, stderr } = await new Folder().flujo("prices", "check", "openai:gpt-4o", "nobody:m");
    expect(stderr).toContain("There is no price of nobody:m.");
    expect(stderr).toContain("flujo prices update --from FILE");
    expect(code).toBe(2);
    expect((await new Folder().flujo("prices", "check", "neither")).code).toBe(2);
  });

  test("warns of an old price", async () => {
    const folder = new Folder();
    folder.write("flujo.config.ts", config);
    const { code, stderr } = await folder.flujo("prices", "check", "my:own", "--max-age", "30");
    expect(stderr).toMatch(/The price of my:own is [\d,]+ days old/);
    expect(code).toBe(0);
    expect((await folder.flujo("prices", "check", "my:own", "--max-age", "99999")).stderr).toBe("");
  });

  test("knows prices of embedding models and of images", async () => {
    const folder = new Folder();
    folder.write(
      "flujo.config.ts",
      'export default { models: { prices: { "my:painter": { image: "$0.04", source: "contract", date: "2026-11-01" } } } };\n',
    );
    const models = ["openai:text-embedding-3-small", "my:painter"];
    const { code, document } = await folder.json("prices", "check", ...models);
    expect(document.models).toMatchObject([
      { model: models[0], price: { usdPerMillion: [{ input: "0.02" }] } },
      { model: models[1], price: { usdPerImage: "0.04", source: "contract" } },
    ]);
    expect(code).toBe(0);
    expect((await folder.flujo("prices", "list", "my:*")).stdout).toMatch(
      /^my:painter \(yours\) +\$0\.04 an image +2026-11-01 +contract$/m,
    );
  });
});
