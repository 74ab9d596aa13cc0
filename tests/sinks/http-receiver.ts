import type { IncomingHttpHeaders, Server, ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { createAdaptorServer, type HttpBindings } from "@hono/node-server";
import { RESPONSE_ALREADY_SENT } from "@hono/node-server/utils/response";
import { Hono } from "hono";
import type { FarEnd } from "../../src/testing/test-sink.ts";

export interface Received {
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

/** A real HTTP server on this machine that receives POSTs, and behaves as it is told. */
export interface HttpReceiver {
  readonly url: string;
  readonly received: readonly Received[];
  does: FarEnd | ((response: ServerResponse, received: Received) => void);
  close(): Promise<void>;
}

/** @param path of its address: may hold a secret, as Slack's does. */
export async function httpReceiver(path = "/"): Promise<HttpReceiver> {
  const received: Received[] = [];
  const app = new Hono<{ Bindings: HttpBindings }>();
  app.all("*", async (c) => {
    const { incoming, outgoing } = c.env;
    const one = { headers: incoming.headers, body: await c.req.text() };
    const told = `${incoming.url} ${JSON.stringify(incoming.headers)}`;
    if (typeof receiver.does === "function") {
      receiver.does(outgoing as ServerResponse, one); // of node:http, since no other server is made
      return RESPONSE_ALREADY_SENT;
    }
    switch (receiver.does) {
      case "takes":
        received.push(one);
        return c.text("ok");
      case "busy":
        return c.text(`not now: ${told}`, 503);
      case "refuses":
        return c.text(`gone: ${told}`, 410);
      case "breaks":
        incoming.socket.resetAndDestroy();
        return RESPONSE_ALREADY_SENT;
      case "hangs":
        return RESPONSE_ALREADY_SENT;
    }
  });
  const server = createAdaptorServer({ fetch: app.fetch }) as Server; // of node:http, as above
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo; // it listens on a port
  const receiver: HttpReceiver = {
    url: `http://127.0.0.1:${port}${path}`,
    received,
    does: "takes",
    close: () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      return closed;
    },
  };
  return receiver;
}
