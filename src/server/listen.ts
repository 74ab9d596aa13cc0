import type { Server } from "node:http";
import { createAdaptorServer } from "@hono/node-server";
import { InvalidOptionError } from "../core/errors.ts";
import type { ServerApp } from "./app.ts";
import { defaultPort } from "./options.ts";
import { isLoopback } from "./origin.ts";

/** A server that takes requests. */
export interface Listening {
  /** Where: `http://127.0.0.1:3583`. */
  readonly url: string;
  readonly port: number;
  /**
   * Takes no new requests, ends what follows events, and lets the others finish.
   *
   * @param graceMs after so many milliseconds they are cut off. Default 5,000.
   */
  close(graceMs?: number): Promise<void>;
}

/** A request has this long to arrive: a slow sender holds a connection no longer. */
const arrival = {
  headersTimeout: 10_000,
  requestTimeout: 30_000,
  keepAliveTimeout: 5_000,
  maxHeaderSize: 16_384,
  connectionsCheckingInterval: 5_000,
};

/**
 * Listens, on this machine alone unless the options say otherwise.
 *
 * @throws InvalidOptionError for another address without tokens, and for a port that is taken.
 */
export async function listen(app: ServerApp): Promise<Listening> {
  const { host = "127.0.0.1", port = defaultPort } = app.options;
  if (!app.guarded && !isLoopback(host)) {
    throw new InvalidOptionError(
      `the server would be reached from other machines at ${host}, and lets everybody do everything`,
      {
        hint: "Configure tokens, server: { tokens: [ … ] } in flujo.config.ts or FLUJO_TOKEN; or listen on 127.0.0.1.",
      },
    );
  }
  const server = createAdaptorServer({ fetch: app.hono.fetch, serverOptions: arrival }) as Server; // of node:http, since no other is asked for
  await bind(server, host, port);
  const { port: taken } = server.address() as { port: number }; // a TCP server that listens has one
  const name = host.includes(":") ? `[${host}]` : host;
  return {
    url: `http://${name}:${taken}`,
    port: taken,
    close: (graceMs = 5_000) => close(server, app, graceMs),
  };
}

function bind(server: Server, host: string, port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => reject(notBound(error, host, port)));
    server.listen(port, host, resolve);
  });
}

function notBound(error: NodeJS.ErrnoException, host: string, port: number): InvalidOptionError {
  const why =
    error.code === "EADDRINUSE"
      ? "something listens there already"
      : error.code === "EACCES"
        ? "this user may not use that port"
        : error.message;
  return new InvalidOptionError(`the server cannot listen on ${host}, port ${port}: ${why}`, {
    cause: error,
    hint: "Choose another port: --port 0 takes any that is free.",
  });
}

/** How often connections are looked for whose last request is done. */
const tidyMs = 50;

function close(server: Server, app: ServerApp, graceMs: number): Promise<void> {
  return new Promise((resolve) => {
    const cut = setTimeout(() => server.closeAllConnections(), graceMs);
    const tidy = setInterval(() => server.closeIdleConnections(), tidyMs);
    server.close(() => {
      clearTimeout(cut);
      clearInterval(tidy);
      resolve();
    });
    app.end();
  });
}
