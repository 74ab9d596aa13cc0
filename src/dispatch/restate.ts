/** Hands runs to workers by Restate. */
import { randomUUID } from "node:crypto";
import { hostname } from "node:os";
import { setTimeout as pause } from "node:timers/promises";
import { defaultQueue } from "../core/dispatch.ts";
import { type Duration, milliseconds } from "../core/duration.ts";
import type { Dispatcher } from "../ports/dispatcher.ts";
import { importPackage } from "../ports/optional-package.ts";
import { type Bell, PollingShift, type Source } from "./polling-shift.ts";
import { addressOf } from "./restate/address.ts";
import { Batches } from "./restate/batches.ts";
import { type Endpoint, type Listening, listen } from "./restate/endpoint.ts";
import type { Kept, Settle } from "./restate/queue.ts";
import { RestateServer } from "./restate/server.ts";

/** So many go in one message, at most. */
const mostAtOnce = 100;
/** It is asked to say so for so long, before it is asked anew; in milliseconds. */
const listenMs = 10_000;
/** The first time it is asked for less: that it answers is what there is to know. */
const tryMs = 50;

/** How {@link restate} finds Restate, and is found by it. What is here goes before what the address says. */
export interface RestateOptions {
  /** The admin API: an address, or a port on the same host. Default 9070. Only workers call it. */
  readonly admin?: string | number;
  /**
   * Where a worker listens for Restate: `"HOST:PORT"`. Default `"127.0.0.1:0"`, any port that is free, which serves a Restate on the
   * same machine.
   */
  readonly listen?: string;
  /** Where Restate reaches what listens there. Default: `http://` and the host, or this machine's name for `0.0.0.0`. */
  readonly at?: string;
  /**
   * The public keys, `publickeyv1_…`, of the Restate that may call what a worker listens at: calls that none of them has signed are
   * refused. Restate says its own when it starts with a `request-identity-private-key-pem-file`. Default: whoever reaches it may.
   */
  readonly identity?: string | readonly string[];
  /** The name of the virtual object that keeps the queues. Default `flujo-jobs`. */
  readonly service?: string;
  /** The pause between two looks for jobs while Restate does not say when one comes, in milliseconds. From 50, default 500. */
  readonly pollMs?: number;
  /** The same while it does: so soon it is noticed that the worker is dead that reckons the queues. Default 2,500. */
  readonly restMs?: number;
  /** A worker of which nothing was heard for so many milliseconds has died: its jobs are another one's. Default 30,000. */
  readonly lockMs?: number;
  /** How long an answer is waited for. Default `"5s"`. */
  readonly patience?: Duration;
}

/**
 * A dispatcher in Restate, 1.7 or newer. Workers need the package `@restatedev/restate-sdk`; whoever only submits does not.
 *
 * ```ts
 * const flujo = new Flujo(greet, { dispatcher: restate("restate://localhost:8080") });
 * ```
 *
 * @param address of its ingress: `restate://TOKEN@host:8080?admin=9070&listen=0.0.0.0:9080&at=http://worker-1:9080&identity=KEY`,
 *   of which the host is needed; or `restates://` over TLS.
 * @throws InvalidOptionError for an address that is none.
 */
export function restate(address: string, options: RestateOptions = {}): Dispatcher {
  const { service = "flujo-jobs", pollMs = 500, restMs = 2_500, lockMs = 30_000, patience = "5s" } = options;
  const { listenAt, at, identityKeys, ...found } = addressOf(address, options);
  const { name } = found;
  const server = new RestateServer({ ...found, service, patienceMs: milliseconds(patience) });
  const submissions = byQueue(
    (queue) => new Batches<Kept>(mostAtOnce, (all) => server.send(queue, "add", all)),
  );
  const shifts = new Set<{ readonly shift: PollingShift<Kept>; leave(): Promise<void> }>();
  let endpoint: Promise<Endpoint> | undefined;

  const open = async (): Promise<Endpoint> => {
    const sdk = (await importPackage("@restatedev/restate-sdk")) as typeof import("@restatedev/restate-sdk"); // that package's own
    const made = await listen(sdk, { service, identityKeys, ...listenAt });
    server.offer(at ?? `http://${nameOf(listenAt.host)}:${made.port}/`);
    return made;
  };

  return {
    name,
    submit: (job) => {
      const { queue = defaultQueue, delayMs = 0 } = job;
      const kept: Kept = { job, left: 0 };
      return delayMs > 0 ? server.send(queue, "add", [kept], delayMs) : submissions.to(queue).add(kept);
    },
    async work(work) {
      endpoint ??= open();
      endpoint.catch(() => {
        endpoint = undefined; // the next one tries again
      });
      await endpoint;
      const worker = randomUUID();
      const source = sourceOf(server, { worker, lockMs, pollMs });
      const shift = new PollingShift(work, source, { pollMs, restMs, beatMs: lockMs / 3 });
      shifts.add({
        shift,
        async leave() {
          await Promise.all(work.queues.map((queue) => server.send(queue, "leave", { worker })));
        },
      });
      return shift;
    },
    async close(within = "5s") {
      const deadline = AbortSignal.timeout(milliseconds(within));
      await Promise.all(
        [...shifts].map(async ({ shift, leave }) => {
          await shift.leave(deadline);
          await leave().catch(() => {}); // it is away: it will notice that nothing is heard of this one
        }),
      );
      (await endpoint?.catch(() => undefined))?.close();
    },
  };
}

/** The jobs of a worker, in Restate. */
function sourceOf(
  server: RestateServer,
  { worker, lockMs, pollMs }: { readonly worker: string; readonly lockMs: number; readonly pollMs: number },
): Source<Kept> {
  const held = byQueue(() => new Set<string>());
  const tales = byQueue(
    (queue) =>
      new Batches<Settle["told"][number]>(mostAtOnce, (told) =>
        server.call(queue, "settle", { worker, told }),
      ),
  );
  return {
    async fetch(queue, most) {
      const has = [...held.to(queue)];
      const ask = { worker, at: Date.now(), lockMs, most, has };
      const found = (await server.call(queue, "fetch", ask)) as readonly Kept[]; // what the handler of that name gives
      for (const { job } of found) held.to(queue).add(job.runId);
      return found.map((kept) => ({ held: kept, job: kept.job }));
    },
    async settle(queue, { job: { runId } }, taken) {
      try {
        await tales.to(queue).add({ runId, taken });
      } finally {
        held.to(queue).delete(runId); // what was not told comes again
      }
    },
    beat: async (queue) => void (await server.call(queue, "beat", { worker, at: Date.now(), lockMs })),
    listen(queues, bell, stop) {
      for (const queue of queues) void listenIn(server, { queue, worker, pollMs }, bell, stop);
    },
  };
}

/** Of all that wait for a job of a queue, Restate tells one. */
async function listenIn(
  server: RestateServer,
  { queue, worker, pollMs }: { readonly queue: string; readonly worker: string; readonly pollMs: number },
  bell: Bell,
  stop: AbortSignal,
): Promise<void> {
  let isLive = false;
  while (!stop.aborted) {
    await bell.room();
    const forMs = isLive ? listenMs : tryMs;
    const who: Listening = { worker, at: Date.now(), forMs };
    try {
      if (await server.listen(queue, "listen", who, forMs, stop)) bell.ring(queue);
      isLive = true;
    } catch {
      isLive = false; // the next look says what is wrong
    }
    bell.live(queue, isLive);
    if (!isLive) await pause(pollMs, undefined, { signal: stop, ref: false }).catch(() => {});
  }
}

/** One of each queue, made when it is asked for first. */
function byQueue<One>(make: (queue: string) => One): { readonly to: (queue: string) => One } {
  const made = new Map<string, One>();
  return {
    to(queue) {
      const one = made.get(queue) ?? make(queue);
      made.set(queue, one);
      return one;
    },
  };
}

function nameOf(host: string): string {
  if (host === "0.0.0.0" || host === "::") return hostname();
  return host.includes(":") ? `[${host}]` : host;
}
