import { Hono } from "hono";
import { describe, expect, onTestFinished, test } from "vitest";
import { nodeWorld } from "../node-world.ts";
import { memory } from "../stores/memory.ts";
import { serverApp } from "./app.ts";
import { listen } from "./listen.ts";
import type { ServerOptions } from "./options.ts";
import type { Mount } from "./parts.ts";

const hello = new Hono().get("/", (c) => c.text("hello"));

async function serve(options: ServerOptions = {}, mounts: readonly Mount[] = []): Promise<string> {
  const app = serverApp({
    store: memory(),
    world: nodeWorld(),
    options: { port: 0, ...options },
    mounts: [{ at: "/open", app: hello }, { at: "/closed", app: hello, role: "viewer" }, ...mounts],
  });
  const listening = await listen(app);
  onTestFinished(() => listening.close(0));
  return listening.url;
}

const token = "a-token-of-some-length";
const viewer = { name: "eyes", role: "viewer", token } as const;

describe("a server listens", () => {
  test("on this machine, to everybody there", async () => {
    const url = await serve();
    expect(new URL(url).hostname).toBe("127.0.0.1");
    expect(await (await fetch(`${url}/closed`)).text()).toBe("hello");
  });

  test("nowhere else without a token", async () => {
    await expect(serve({ host: "0.0.0.0" })).rejects.toThrow("lets everybody do everything");
    const url = await serve({ host: "0.0.0.0", tokens: [viewer] });
    expect((await fetch(`${url}/closed`)).status).toBe(401);
  });

  test("on no port that is taken", async () => {
    const { port } = new URL(await serve());
    await expect(serve({ port: Number(port) })).rejects.toThrow("something listens there already");
  });
});

describe("a part of the server", () => {
  test("that names no role is open; another takes a token with it", async () => {
    const url = await serve({ tokens: [viewer] }, [{ at: "/deep", app: hello, role: "operator" }]);
    expect((await fetch(`${url}/open`)).status).toBe(200);
    expect((await fetch(`${url}/closed`)).status).toBe(401);
    const headers = { authorization: `Bearer ${token}` };
    expect((await fetch(`${url}/closed`, { headers })).status).toBe(200);
    expect((await fetch(`${url}/deep`, { headers })).status).toBe(403);
  });

  test("that is not there is told in a letter", async () => {
    const answer = await fetch(`${await serve()}/nowhere`);
    expect([answer.status, await answer.json()]).toEqual([
      404,
      { error: { code: "not-found", message: "there is no /nowhere", retryable: false } },
    ]);
  });
});
