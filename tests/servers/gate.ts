/** A way to a server that can be shut: the network between a process and its database. */
import { connect, createServer, type Socket } from "node:net";

export interface Gate {
  /** The address of the server, through the gate. */
  readonly url: string;
  /** Breaks all connections off, and takes no more. */
  shut(): Promise<void>;
  open(): Promise<void>;
}

export async function gateTo(serverUrl: string): Promise<Gate> {
  const url = new URL(serverUrl);
  const to = { host: url.hostname, port: Number(url.port) };
  const sockets = new Set<Socket>();
  const server = createServer((near) => {
    const far = connect(to);
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on("error", () => {}); // its end follows
      one.once("close", () => {
        sockets.delete(one);
        other.destroy();
      });
      one.pipe(other);
    }
  });
  const listen = (port: number): Promise<void> =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(port, "127.0.0.1", () => {
        server.off("error", reject);
        resolve();
      });
    });
  await listen(0);
  const { port } = server.address() as { port: number }; // a TCP server that listens has one
  url.host = `127.0.0.1:${port}`;
  return {
    url: url.href,
    async shut() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of sockets) socket.destroy();
      await closed;
    },
    open: () => listen(port),
  };
}
