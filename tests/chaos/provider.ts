/** A model provider in a process of its own: it survives its clients, and so does the bill. */
import { type ChildProcess, fork } from "node:child_process";
import { once } from "node:events";
import { fileURLToPath } from "node:url";

/** What the provider has seen: the true cost of all requests, and each of them. */
export interface Meter {
  readonly picoUsd: bigint;
  readonly texts: readonly string[];
  readonly bodies: readonly object[];
}

export interface Provider extends AsyncDisposable {
  /** Lets the OpenAI SDK of a client process find it. */
  readonly env: { readonly OPENAI_BASE_URL: string; readonly OPENAI_API_KEY: string };
  meter(): Promise<Meter>;
}

export async function provider(): Promise<Provider> {
  const script = fileURLToPath(new URL("./provider-process.ts", import.meta.url));
  const child: ChildProcess = fork(script, { execArgv: [], serialization: "advanced" });
  const [url] = await once(child, "message");
  return {
    env: { OPENAI_BASE_URL: url, OPENAI_API_KEY: "sk-of-nobody" },
    async meter() {
      const answer = once(child, "message");
      child.send("meter");
      return (await answer)[0];
    },
    async [Symbol.asyncDispose]() {
      const gone = once(child, "exit");
      child.disconnect();
      await gone;
    },
  };
}
