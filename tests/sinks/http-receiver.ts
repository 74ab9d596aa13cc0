import { createServer, type IncomingHttpHeaders, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
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
  const server = createServer((request, response) => {
    const parts: Buffer[] = [];
    request.on("data", (part: Buffer) => parts.push(part));
    request.on("end", () => {
      const one = { headers: request.headers, body: Buffer.concat(parts).toString() };
      if (typeof receiver.does === "function") return receiver.does(response, one);
      switch (receiver.does) {
        case "takes":
          received.push(one);
          return response.end("ok");
        case "busy":
          return response.writeHead(503).end(`not now: ${request.url} ${JSON.stringify(request.headers)}`);
        case "refuses":
          return response.writeHead(410).end(`gone: ${request.url} ${JSON.stringify(request.headers)}`);
        case "breaks":
          return request.socket.resetAndDestroy();
        case "hangs":
          return;
      }
    });
  });
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
