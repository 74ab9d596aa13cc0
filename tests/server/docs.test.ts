import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { nodeWorld } from "../../src/node-world.ts";
import { serverApp } from "../../src/server/app.ts";
import { memory } from "../../src/stores/memory.ts";
import { stage } from "./stage.ts";

const page = readFileSync(join(import.meta.dirname, "../../docs/api.md"), "utf8");

test("docs/api.md lists every request there is, with the role it takes", async () => {
  const { hono } = serverApp({ store: memory(), world: nodeWorld() });
  const response = await hono.request("/api/v1/openapi.json", { headers: { host: "localhost" } });
  const { paths } = (await response.json()) as {
    paths: Record<string, Record<string, { description: string }>>;
  };
  const there = Object.entries(paths).flatMap(([path, methods]) =>
    Object.entries(methods).map(
      ([method, { description }]) =>
        `${method.toUpperCase()} ${path.replace("/api/v1", "")} ${/role (\w+)/.exec(description)?.[1]}`,
    ),
  );
  const told = [...page.matchAll(/^\| `((?:GET|POST) \S+)` \| (\w+) \|/gm)].map(
    ([, what, role]) => `${what} ${role}`,
  );
  expect(told.sort()).toEqual(there.sort());
});

test("every curl of docs/api.md works", async () => {
  const { url, post, stands } = await stage();
  for (const [pipeline, runId, budget] of [
    ["asking", "asking-1"],
    ["sleeping", "sleeping-1"],
    ["spending", "halted-1", "$0.000000000001"],
  ]) {
    await post("/api/v1/runs", { pipeline, runId, input: ["a", "b"], ...(budget ? { budget } : {}) });
    await stands(runId as string);
  }
  const lines = page.split("\n").filter((line) => line.startsWith("curl "));
  expect(lines.length).toBeGreaterThan(5);
  for (const line of lines) {
    const { address, init } = requestIn(line);
    const response = await fetch(address.replace("http://127.0.0.1:3583", url), init);
    await response.text();
    expect(response.ok, line).toBe(true);
  }
});

/** What a line of curl asks for. */
function requestIn(line: string): { address: string; init: RequestInit } {
  const words = [...line.matchAll(/'([^']*)'|(\S+)/g)].map(([, quoted, plain]) => quoted ?? plain ?? "");
  const headers: Record<string, string> = {};
  let address = "";
  let body: string | undefined;
  for (let i = 1; i < words.length; i++) {
    const word = words[i] ?? "";
    if (word === "-H") {
      const [name = "", value = ""] = (words[++i] ?? "").split(": ");
      headers[name] = value;
    } else if (word === "-d") body = words[++i];
    else if (word.startsWith("http")) address = word;
  }
  return { address, init: body === undefined ? { headers } : { method: "POST", headers, body } };
}
