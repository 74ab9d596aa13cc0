/** What Restate calls in a worker: the handlers of the queues. They reckon with what it sends and have no effect of their own. */
import { type ClientHttp2Session, connect, createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo } from "node:net";
import type { ObjectContext, ObjectSharedContext } from "@restatedev/restate-sdk";
import { InvalidOptionError } from "../../core/errors.ts";
import type { Kept } from "./queue.ts";
import * as queue from "./queue.ts";

/** After so many milliseconds a job comes again that was left; after up to 30 times as long, when it is left again and again. */
const againMs = 1_000;
/**
 * A handler takes milliseconds. Of a process that hangs Restate lets go after twice this, in milliseconds, and the five seconds that
 * it takes to look.
 */
const hangsMs = 1_000;
/** Whoever is there says so within so many milliseconds. */
const presentMs = 1_000;

/** Asked by other workers: whose endpoint is this? */
const presence = "/flujo";

export interface Endpoint {
  readonly port: number;
  close(): void;
}

interface Place {
  readonly service: string;
  readonly host: string;
  readonly port: number;
  /** Of these one has to have signed what is called. None: whoever calls. */
  readonly identityKeys?: readonly string[];
}

/**
 * @param sdk the package `@restatedev/restate-sdk`.
 * @throws InvalidOptionError where nothing can listen.
 */
export async function listen(
  sdk: typeof import("@restatedev/restate-sdk"),
  { service, host, port, identityKeys = [] }: Place,
): Promise<Endpoint> {
  const handler = sdk.createEndpointHandler({
    services: [queues(sdk, service)],
    identityKeys: [...identityKeys],
    logger: () => {},
  });
  const server = createServer((request, response) => {
    if (request.url === presence) response.end(service);
    else handler(request, response);
  });
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.once("close", () => sessions.delete(session));
  });
  await new Promise<void>((resolve, reject) => {
    server.once("listening", resolve);
    server.once("error", (cause: Error) => {
      reject(
        new InvalidOptionError(`nothing can listen at ${host}:${port} for Restate: ${cause.message}`, {
          cause,
          hint: "Name another address: listen=HOST:PORT",
        }),
      );
    });
    server.listen(port, host);
  });
  return {
    port: (server.address() as AddressInfo).port, // a TCP server that listens has one
    close() {
      server.close();
      for (const session of sessions) session.destroy();
    },
  };
}

/** Whether the endpoint of that service is at an address. */
export async function answers(uri: string, service: string): Promise<boolean> {
  const { promise: said, resolve: say } = Promise.withResolvers<string | undefined>();
  const nothing = (): void => say(undefined);
  const timer = setTimeout(nothing, presentMs);
  let session: ClientHttp2Session | undefined;
  try {
    session = connect(uri).on("error", nothing);
    const answer = session.request({ ":path": presence }).on("error", nothing).setEncoding("utf8");
    let text = "";
    answer.on("data", (part: string) => {
      text += part;
    });
    answer.once("end", () => say(text));
    return (await said) === service;
  } catch {
    return false; // an address of a kind that nobody but Restate knows
  } finally {
    clearTimeout(timer);
    session?.destroy();
  }
}

/** A worker asks to be told of jobs. */
export type Listening = Omit<queue.Wait, "bell">;

interface Queues {
  add(ctx: ObjectContext, all: readonly Kept[]): Promise<void>;
  wait(ctx: ObjectContext, who: queue.Wait): Promise<void>;
}

const ring = (ctx: ObjectContext, bells: readonly string[]): void => {
  for (const bell of bells) ctx.resolveAwakeable(bell, true);
};

/** A virtual object for each queue, by its name. */
function queues(sdk: typeof import("@restatedev/restate-sdk"), service: string) {
  const shelfOf = (ctx: ObjectContext): queue.Shelf => ({
    get: (...keys) => {
      const asked = keys.map((key) => ctx.get(key)); // at once
      // Its own `all`, though the types promise less: with that of promises the SDK takes half a second.
      const areIts = keys.length > 0 && asked.every((one) => sdk.isRestatePromise(one));
      return areIts ? sdk.RestatePromise.all(asked) : Promise.all(asked);
    },
    set: (key, value) => ctx.set(key, value),
    clear: (key) => ctx.clear(key),
  });
  return sdk.object({
    name: service,
    handlers: {
      add: async (ctx: ObjectContext, all: readonly Kept[]) => ring(ctx, await queue.add(shelfOf(ctx), all)),
      fetch: (ctx: ObjectContext, ask: queue.Fetch) => queue.fetch(shelfOf(ctx), ask),
      beat: (ctx: ObjectContext, said: queue.Beat) => queue.beat(shelfOf(ctx), said),
      async wait(ctx: ObjectContext, who: queue.Wait): Promise<void> {
        if (await queue.wait(shelfOf(ctx), who)) ring(ctx, [who.bell]);
      },
      /** Beside the others, and as long as it takes: whether a job has come. */
      listen: sdk.handlers.object.shared(
        async (ctx: ObjectSharedContext, who: Listening): Promise<boolean> => {
          const { id, promise } = ctx.awakeable<boolean>();
          ctx.objectSendClient<Queues>({ name: service }, ctx.key).wait({ ...who, bell: id });
          try {
            return await promise.orTimeout(who.forMs);
          } catch (error) {
            if (error instanceof sdk.TimeoutError) return false;
            throw error;
          }
        },
      ),
      async settle(ctx: ObjectContext, told: queue.Settle): Promise<void> {
        for (const kept of await queue.settle(shelfOf(ctx), told)) {
          const delay = againMs * Math.min(2 ** (kept.left - 1), 30);
          ctx.objectSendClient<Queues>({ name: service }, ctx.key).add([kept], sdk.rpc.sendOpts({ delay }));
        }
      },
      leave: async (ctx: ObjectContext, { worker }: { readonly worker: string }) =>
        ring(ctx, await queue.leave(shelfOf(ctx), worker)),
    },
    options: {
      enableLazyState: true,
      journalRetention: 0,
      idempotencyRetention: 0, // it gives each call a key, and would keep for a day what came of it
      inactivityTimeout: hangsMs,
      abortTimeout: hangsMs,
      // For ever: it waits for a worker that lives. Paused, as Restate has it by default, it would hold up its queue.
      retryPolicy: {
        initialInterval: 50,
        maxInterval: 1_000,
        exponentiationFactor: 2,
        maxAttempts: 1_000_000_000,
      },
      // What cannot be understood, or was begun by another version of these functions, would hold up its queue, too.
      onJournalMismatchErrors: "fail",
      asTerminalError: (error) =>
        error instanceof TypeError ? new sdk.TerminalError(error.message, { errorCode: 400 }) : undefined,
    },
  });
}
