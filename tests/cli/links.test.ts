import { describe, expect, test } from "vitest";
import { AnswerLinks } from "../../src/links/answer-links.ts";
import { nodeWorld } from "../../src/node-world.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import { Folder, pipelines } from "./command.ts";

const asking = ["run", pipelines, "--export", "asking", "--input", "Hi", "--run-id", "r"];
const secret = "a-secret-of-at-least-thirty-two-characters";
const config = `export default { server: { publicUrl: "https://flujo.example" } };`;

async function waiting(configured = true): Promise<Folder> {
  const folder = new Folder();
  if (configured) folder.write("flujo.config.js", config);
  await folder.flujo(...asking);
  return folder;
}

const open = (folder: Folder, link: string, parts: object = {}) => {
  const store = sqlite(`${folder.path}/.flujo/flujo.db`);
  const links = new AnswerLinks({ store, world: nodeWorld(), ...parts });
  return links.read(link.trim().split("/answer/")[1] ?? "").finally(() => store.close());
};

describe("flujo link", () => {
  test("prints a link for what a run asks, as it is wanted", async () => {
    const folder = await waiting();
    const args = ["--for", "ana", "--answer", '{"approved":true}', "--expires", "2d"];
    const { code, stdout } = await folder.flujo("link", "r", ...args);
    expect([code, stdout]).toEqual([0, expect.stringMatching(/^https:\/\/flujo\.example\/answer\/\S+\n$/)]);
    expect(await open(folder, stdout)).toMatchObject({
      is: "valid",
      invitation: { runId: "r", path: "/asking/approve", by: "ana", answer: { value: { approved: true } } },
    });
  });

  test("signs with FLUJO_SECRET where there is one, and never shows it", async () => {
    const folder = await waiting();
    const { stdout, stderr } = await folder.start(["link", "r"], { env: { FLUJO_SECRET: secret } }).ended;
    expect((await open(folder, stdout, { secret })).is).toBe("valid");
    expect((await open(folder, stdout)).is).toBe("forged");
    expect(stdout + stderr).not.toContain(secret);
    const short = await folder.start(["link", "r"], { env: { FLUJO_SECRET: "short" } }).ended;
    expect([short.code, short.stderr]).toEqual([2, expect.stringContaining("less than 32 characters")]);
  });

  test.each([
    [true, ["r", "/asking/other"], 5, "nobody is asked anything at /asking/other"],
    [true, ["r", "--expires", "soon"], 2, '"soon" is not a duration'],
    [true, ["r", "--answer", "{"], 2, "--answer is not JSON"],
    [true, ["unknown"], 2, "there is no run unknown"],
    [false, ["r"], 2, "publicUrl"],
  ] as const)("configured %s, %j exits %i and says why", async (configured, args, code, said) => {
    const folder = await waiting(configured);
    const ended = await folder.flujo("link", ...args);
    expect([ended.code, ended.stderr]).toEqual([code, expect.stringContaining(said)]);
  });
});

test("a link is followed in a browser, to a server of the store: one POST answers, and the run goes on elsewhere", async () => {
  const folder = await waiting();
  const { stdout } = await folder.flujo("link", "r");
  const serving = folder.start(["lens", "serve", "--port", "0"], { env: { FLUJO_TOKEN: secret } });
  await serving.saw("Ctrl-C stops it.");
  const [here = ""] = /http:\/\/127\.0\.0\.1:\d+/.exec(serving.said()) ?? [];
  const link = stdout.trim().replace("https://flujo.example", here);
  expect(await (await fetch(link)).text()).toContain("Approve</button>");
  const body = new URLSearchParams({ approved: "true", note: "from a phone" });
  expect((await fetch(link, { method: "POST", body })).status).toBe(200);
  serving.kill("SIGTERM");
  expect((await serving.ended).code).toBe(0);
  const { document } = await folder.json("resume", "r");
  expect(document).toMatchObject({ status: "completed", output: { approved: true, note: "from a phone" } });
});

describe("flujo inbox --links", () => {
  test("has a link for each question that is open", async () => {
    const folder = await waiting();
    const { stdout } = await folder.flujo("inbox", "--links");
    const link = stdout.split("\n").find((line) => line.includes("/answer/"));
    expect((await open(folder, link ?? "")).is).toBe("valid");
    const { document } = await folder.json("inbox", "--links");
    expect(document).toMatchObject({ items: [{ link: expect.stringContaining("/answer/") }] });
    await folder.flujo("approve", "r");
    expect((await folder.flujo("inbox", "--links")).stdout).not.toContain("/answer/");
  });
});
