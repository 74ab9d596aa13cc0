/** The adversary's process as the tests see it. */
import { fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import type { Bill } from "./server.ts";

export interface Opponent extends AsyncDisposable {
  readonly url: string;
}

export async function opponent(): Promise<Opponent> {
  const child = fork(fileURLToPath(new URL("./server-process.ts", import.meta.url)), { execArgv: [] });
  const [url] = await once(child, "message");
  return {
    url,
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}

/** What a scenario has truly cost so far. */
export async function billOf(url: string, seed: number): Promise<Bill> {
  const bill = await (await fetch(`${url}/${seed}/bill`)).text();
  return JSON.parse(bill, (key, value) => (key === "picoUsd" ? BigInt(value) : value)) as Bill; // as the server wrote it
}
