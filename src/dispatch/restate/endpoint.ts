/** What Restate calls in a worker: the handlers of the queues. They reckon with what it sends and have no effect of their own. */
import { createServer, type ServerHttp2Session } from "node:http2";
import type { AddressInfo, Socket } from "node:net";
import type { ObjectContext } from "@restatedev/restate-sdk";
import { InvalidOptionError } from "../../core/errors.ts";
import {
  add,
  type Beat,
  beat,
  type Fetch,
  fetch,
  type Kept,
  leave,
  type Settle,
  type Shelf,
  settle,
} from "./queue.ts";

/** After so many milliseconds a job comes again that was left; after up to 30 times as long, when it is left again and again. */
const againMs = 1_000;
/** A handler takes milliseconds. Of a process that hangs Restate lets go after twice this. */
const hangsMs = 2_000;

export interface Endpoint {
  readonly port: number;
  close(): void;
}

/**
 * @param sdk the package `@restatedev/restate-sdk`.
 * @throws InvalidOptionError where nothing can listen.
 */
export async function listen(
  sdk: typeof import("@restatedev/restate-sdk"),
  { service, host, port }: { readonly service: string; readonly host: string; readonly port: number },
): Promise<Endpoint> {
  const handler = sdk.createEndpointHandler({ services: [queues(sdk, service)], logger: () => {} });
  const server = createServer(handler);
  server.on("connection", (socket: Socket) => socket.setNoDelay(true)); // it answers in small pieces
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

interface Adds {
  add(ctx: ObjectContext, kept: Kept): Promise<void>;
}

/** A virtual object for each queue, by its name. */
function queues(sdk: typeof import("@restatedev/restate-sdk"), service: string) {
  const shelfOf = (ctx: ObjectContext): Shelf => ({
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
      add: (ctx: ObjectContext, kept: Kept) => add(shelfOf(ctx), kept),
      fetch: (ctx: ObjectContext, ask: Fetch) => fetch(shelfOf(ctx), ask),
      beat: (ctx: ObjectContext, said: Beat) => beat(shelfOf(ctx), said),
      async settle(ctx: ObjectContext, told: Settle): Promise<void> {
        const left = await settle(shelfOf(ctx), told);
        if (left === undefined) return;
        const delay = againMs * Math.min(2 ** (left.left - 1), 30);
        ctx.objectSendClient<Adds>({ name: service }, ctx.key).add(left, sdk.rpc.sendOpts({ delay }));
      },
      leave: (ctx: ObjectContext, { worker }: { readonly worker: string }) => leave(shelfOf(ctx), worker),
    },
    options: {
      enableLazyState: true,
      journalRetention: 0,
      inactivityTimeout: hangsMs,
      abortTimeout: hangsMs,
      // For ever: it waits for a worker that lives. Paused, as Restate has it by default, it would hold up its queue.
      retryPolicy: {
        initialInterval: 50,
        maxInterval: 1_000,
        exponentiationFactor: 2,
        maxAttempts: 1_000_000_000,
      },
      // What cannot be understood would hold up its queue.
      asTerminalError: (error) =>
        error instanceof TypeError ? new sdk.TerminalError(error.message, { errorCode: 400 }) : undefined,
    },
  });
}
