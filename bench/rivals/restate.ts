import { spawn } from "node:child_process";
import { createServer as createHttp2 } from "node:http2";
import { createServer as listen, type AddressInfo } from "node:net";
import { createRequire } from "node:module";
import { existsSync } from "node:fs";
import * as restate from "@restatedev/restate-sdk";
import { measure, result } from "./shared/harness.ts";

let failing: string | undefined;
let failedAt = 0;
let startedAt = 0;

const work = restate.service({
  name: "work",
  handlers: {
    async chain(ctx: restate.Context, steps: number) {
      for (let n = 0; n < steps; n++) await ctx.run(`step-${n}`, async () => result(n));
      return steps;
    },
    async fanout(ctx: restate.Context, items: number) {
      // Sixteen at a time, as elsewhere: all 10,000 in one RestatePromise.all did not come back within a minute.
      for (let from = 0; from < items; from += 16) {
        const some = Array.from({ length: Math.min(16, items - from) }, (_, n) => from + n);
        await restate.RestatePromise.all(some.map((n) => ctx.run(`item-${n}`, async () => result(n))));
      }
      return items;
    },
    async resume(ctx: restate.Context, { id, steps }: { id: string; steps: number }) {
      for (let n = 0; n < steps; n++) await ctx.run(`step-${n}`, async () => result(n));
      if (failing === id) {
        failing = undefined;
        failedAt = performance.now();
        throw new Error("the process dies here");
      }
      await ctx.run("last", async () => {
        startedAt = performance.now();
      });
      return steps;
    },
  },
  // A failed invocation comes back after 1 ms: what is left is the replay of its journal.
  options: { retryPolicy: { initialInterval: 1, exponentiationFactor: 1, maxInterval: 1 }, journalRetention: 0 },
});

const freePort = () =>
  new Promise<number>((resolve) => {
    const probe = listen().listen(0, "127.0.0.1", () => {
      const { port } = probe.address() as AddressInfo;
      probe.close(() => resolve(port));
    });
  });

await measure({
  name: "Restate",
  packages: ["@restatedev/restate-sdk", "@restatedev/restate-server"],
  store: "its own server, one node (RocksDB, log synced)",
  survives: "power loss",
  overSockets: true,
  async open(folder) {
    const [ingress, admin, node] = [await freePort(), await freePort(), await freePort()];
    const platform = `@restatedev/restate-server-${process.platform}-${process.arch}`;
    const binary = createRequire(import.meta.url).resolve(`${platform}/bin/restate-server`);
    if (!existsSync(binary)) throw new Error(`Restate's server does not ship for ${platform}`);
    const server = spawn(binary, ["--no-logo", "--listen-mode", "tcp", "--bind-ip", "127.0.0.1", "--base-dir", folder, "--bind-port", `${node}`], {
      env: {
        ...process.env,
        RESTATE_INGRESS__BIND_ADDRESS: `127.0.0.1:${ingress}`,
        RESTATE_ADMIN__BIND_ADDRESS: `127.0.0.1:${admin}`,
        RESTATE_DISABLE_TELEMETRY: "true",
        RUST_LOG: "error",
      },
      stdio: "ignore",
    });
    process.on("SIGTERM", () => {
      server.kill("SIGKILL");
      process.exit(1);
    });
    const endpoint = createHttp2(restate.createEndpointHandler({ services: [work] })).listen(0, "127.0.0.1");
    await new Promise((ready) => endpoint.once("listening", ready));
    const uri = `http://127.0.0.1:${(endpoint.address() as AddressInfo).port}`;
    await untilOk(() =>
      fetch(`http://127.0.0.1:${admin}/deployments`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify({ uri }),
      }),
    );
    const call = async (handler: string, input: unknown) => {
      const answer = await fetch(`http://127.0.0.1:${ingress}/work/${handler}`, {
        method: "POST",
        headers: { "content-type": "application/json" },
        body: JSON.stringify(input),
      });
      if (!answer.ok) throw new Error(`error ${answer.status}: ${await answer.text()}`);
      await answer.text();
    };
    await untilOk(() => fetch(`http://127.0.0.1:${ingress}/work/chain`, { method: "POST", headers: { "content-type": "application/json" }, body: "1" }));
    return {
      pids: [server.pid as number],
      chain: (_id, steps) => call("chain", steps),
      fanout: (_id, items) => call("fanout", items),
      async resume(id, steps) {
        failing = id;
        await call("resume", { id, steps });
        return startedAt - failedAt;
      },
      async close() {
        const gone = new Promise((done) => server.once("exit", done));
        server.kill("SIGTERM");
        const timer = setTimeout(() => server.kill("SIGKILL"), 5_000);
        await gone;
        clearTimeout(timer);
        endpoint.close();
      },
    };
  },
});

async function untilOk(ask: () => Promise<Response>): Promise<void> {
  for (let tries = 0; tries < 300; tries++) {
    const answer = await ask().catch(() => undefined);
    if (answer?.ok) return;
    await new Promise((next) => setTimeout(next, 100));
  }
  throw new Error("error: Restate's server did not come up in 30 s");
}
