/** Real processes, and how to wait for them, stop them, and see what they left behind. */
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import type { Entry } from "../../src/core/entries.ts";
import { type Execution, type Job, type Message, type Place, storeAt } from "./job.ts";

const worker = fileURLToPath(new URL("./worker.ts", import.meta.url));

/** What `ulimit -f` counts in, in a POSIX shell. */
const blockBytes = 512;

export interface Child {
  readonly pid: number;
  readonly messages: readonly Message[];
  /** The first message that fits, past or future. Rejects when the process ends without one. */
  until<T extends Message["type"]>(
    type: T,
    fits?: (message: Extract<Message, { type: T }>) => boolean,
  ): Promise<Extract<Message, { type: T }>>;
  /** Lets bodies that hang go on. */
  go(): void;
  signal(name: "SIGKILL" | "SIGSTOP" | "SIGCONT"): void;
  /** Resolves when the process is gone. */
  readonly gone: Promise<void>;
}

const running = new Set<ChildProcess>();

/** Ends what a test has left running. */
export async function endAll(): Promise<void> {
  const left = [...running];
  for (const child of left) child.kill("SIGKILL");
  await Promise.all(left.map((child) => once(child, "exit")));
}

/** @param fileLimit no file may grow beyond so many bytes: the kernel's own limit (RLIMIT_FSIZE). */
export function start(job: Job, env: NodeJS.ProcessEnv = {}, fileLimit?: number): Child {
  const node = [process.execPath, worker, JSON.stringify(job)];
  const limited = `ulimit -f ${Math.floor((fileLimit ?? 0) / blockBytes)}; exec "$0" "$@"`;
  const [command = "", ...args] = fileLimit === undefined ? node : ["sh", "-c", limited, ...node];
  const child = spawn(command, args, {
    stdio: ["ignore", "inherit", "inherit", "ipc"],
    serialization: "advanced",
    env: { ...process.env, ...env },
  });
  running.add(child);
  const messages: Message[] = [];
  const listeners = new Set<() => void>();
  let over = false;
  const look = (): void => {
    for (const listener of [...listeners]) listener();
  };
  child.on("message", (message: Message) => {
    messages.push(message);
    look();
  });
  const gone = new Promise<void>((resolve) => {
    child.once("exit", () => running.delete(child));
    child.once("close", () => {
      over = true;
      look();
      resolve();
    });
  });

  return {
    pid: child.pid as number, // spawn throws no error we could go on from
    messages,
    gone,
    go: () => void child.send("go", () => {}), // it may have ended by itself just now
    signal: (name) => void child.kill(name),
    until: (type, fits = () => true) =>
      new Promise((resolve, reject) => {
        const listener = (): void => {
          const found = messages.find(
            (message): message is Extract<Message, { type: typeof type }> =>
              message.type === type && fits(message as Extract<Message, { type: typeof type }>),
          ); // as its type says
          if (found === undefined && !over) return;
          listeners.delete(listener);
          if (found !== undefined) resolve(found);
          else
            reject(
              new Error(`the process ended without "${type}": ${JSON.stringify(messages.slice(-3), plain)}`),
            );
        };
        listeners.add(listener);
        listener();
      }),
  };
}

const plain = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}` : value);

/** Kills and waits until it is so. */
export async function kill(child: Child): Promise<void> {
  child.signal("SIGKILL");
  await child.gone;
}

/** Waits until the process has ended by itself, and returns how its run came to stand. */
export async function ending(child: Child): Promise<Extract<Message, { type: "ended" }>> {
  const ended = await child.until("ended");
  await child.gone;
  return ended;
}

/** Waits until the process has ended by itself, and returns why it may not advance the run. */
export async function refusal(child: Child): Promise<Extract<Message, { type: "refused" }>> {
  const refused = await child.until("refused");
  await child.gone;
  return refused;
}

/** The executions so far. Of a process killed while it wrote its line, half a line may be left: that work was in flight. */
export function executions(log: string): Execution[] {
  if (!existsSync(log)) return [];
  return readFileSync(log, "utf8").split("\n").flatMap(executionIn);
}

function executionIn(line: string): Execution[] {
  if (line === "") return [];
  try {
    return [JSON.parse(line) as Execution]; // as the worker wrote it
  } catch {
    return [];
  }
}

/** What a store says of a run, read from a copy: looking must not repair what the next process is to find. */
export async function journalOf(place: Place, runId: string): Promise<readonly Entry[]> {
  const scratch = mkdtempSync(join(tmpdir(), "flujo-copy-"));
  const copy = { kind: place.kind, folder: join(scratch, "store") };
  try {
    if (!existsSync(place.folder)) return [];
    cpSync(place.folder, copy.folder, { recursive: true });
    const store = storeAt(copy);
    const entries = await store.read(runId, 0, 1_000_000);
    await store.close();
    return entries ?? [];
  } finally {
    rmSync(scratch, { recursive: true });
  }
}

/** The paths of the operations that are recorded, in order. */
export const completedIn = (entries: readonly Entry[]): string[] =>
  entries.flatMap((entry) =>
    entry.type === "step-completed" || entry.type === "operation-completed" ? [entry.path] : [],
  );
