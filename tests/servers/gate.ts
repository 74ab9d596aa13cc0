/** A way to a server that can be shut: the network between a process and its database. */
import { connect, createServer, type Socket } from "node:net";

export interface Gate {
  /** The address of the server, through the gate. */
  readonly url: string;
  /** Breaks all connections off, and takes no more. */
  shut(): Promise<void>;
  /** Takes connections, but lets nothing through, either way, and tells nobody. */
  swallow(): void;
  /** As `swallow`, but what has been sent meanwhile comes through once the gate is open, however late that is. */
  hold(): void;
  /** Lets through what is held. What was swallowed is lost: no word ever comes through those connections any more. */
  open(): Promise<void>;
}

export async function gateTo(serverUrl: string): Promise<Gate> {
  const url = new URL(serverUrl);
  const to = { host: url.hostname, port: Number(url.port) };
  const lines = new Set<Line>();
  let manner: Manner = "pass";
  const server = createServer((near) => {
    const line = new Line(near, connect(to), () => lines.delete(line));
    lines.add(line);
    line.become(manner);
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
  const become = (next: Manner): void => {
    manner = next;
    for (const line of lines) line.become(next);
  };
  return {
    url: url.href,
    async shut() {
      const closed = new Promise((resolve) => server.close(resolve));
      for (const line of lines) line.cut();
      await closed;
    },
    swallow: () => become("swallow"),
    hold: () => become("hold"),
    async open() {
      become("pass");
      if (!server.listening) await listen(port);
    },
  };
}

type Manner = "pass" | "hold" | "swallow";

/** One connection, and what becomes of what is said on it. */
class Line {
  readonly #ends: readonly [near: Socket, far: Socket];
  readonly #over: () => void;
  #manner: Manner = "pass";
  #held: (() => void)[] = [];

  constructor(near: Socket, far: Socket, over: () => void) {
    this.#ends = [near, far];
    this.#over = over;
    near.pause();
    far.once("connect", () => near.resume());
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      one.on("error", () => {}); // its end follows
      one.on("data", (bytes) => this.#pass(() => void other.write(bytes)));
      one.once("close", () => this.#pass(() => this.#end()));
    }
  }

  /** A line of which something was swallowed stays dead. */
  become(manner: Manner): void {
    if (this.#manner === "swallow") return;
    this.#manner = manner;
    if (manner === "pass") for (const pass of this.#held.splice(0)) pass();
  }

  cut(): void {
    for (const end of this.#ends) end.destroy();
    this.#over();
  }

  /** What has been said before is said still. */
  #end(): void {
    for (const end of this.#ends) end.destroySoon();
    this.#over();
  }

  /** That one end has gone is news, too. */
  #pass(news: () => void): void {
    if (this.#manner === "pass") news();
    else if (this.#manner === "hold") this.#held.push(news);
  }
}
