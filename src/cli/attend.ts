/** What is done about a run that waits, while somebody is there to see it: they are asked, or it is waited for. */
import { setTimeout } from "node:timers/promises";
import { FlujoError } from "../core/errors.ts";
import type { Path } from "../core/paths.ts";
import type { Wait } from "../core/waiting.ts";
import type { Store } from "../ports/store.ts";
import { sayError } from "./letter.ts";
import { printable, redact } from "./terminal.ts";

/** Who is asked, at a terminal. Undefined: they would rather not say now. */
export interface Desk {
  readonly confirm: (question: string) => Promise<boolean | undefined>;
  readonly text: (question: string) => Promise<string | undefined>;
}

/** One thing to ask. */
export interface Asking {
  readonly path: Path;
  readonly prompt: string;
  readonly isApproval: boolean;
}

/**
 * Asks one after the other, until each has an answer that fits or the person has had enough.
 *
 * @returns whether anything has been answered, by them or by others meanwhile.
 */
export async function askAt(
  desk: Desk,
  asked: readonly Asking[],
  send: (path: Path, answer: unknown) => Promise<void>,
): Promise<boolean> {
  let answered = false;
  for (const { path, prompt, isApproval } of asked) {
    for (;;) {
      const question = redact(printable(prompt === "" ? path : prompt));
      const answer = isApproval ? await desk.confirm(question) : await desk.text(question);
      if (answer === undefined) return answered;
      try {
        await send(path, typeof answer === "boolean" ? { approved: answer } : meant(answer));
        answered = true;
        break;
      } catch (error) {
        if (!FlujoError.isInstance(error) || error.code !== "signal-refused") throw error;
        sayError(error);
        if (error.message.includes("already")) {
          answered = true; // somebody else was faster
          break;
        }
      }
    }
  }
  return answered;
}

/** What somebody has typed: JSON where it is that, else the text itself. */
function meant(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}

/** The terminal; undefined where there is none. */
export async function terminalDesk(): Promise<Desk | undefined> {
  if (!process.stdin.isTTY || !process.stderr.isTTY) return undefined;
  const { confirm, text } = await import("@clack/prompts");
  const output = process.stderr;
  return {
    // Whoever presses Ctrl-C gives a symbol.
    async confirm(message) {
      const answer = await confirm({ message, output });
      return typeof answer === "symbol" ? undefined : answer;
    },
    async text(message) {
      const answer = await text({ message, output, placeholder: "a text, or JSON" });
      return typeof answer === "symbol" ? undefined : answer;
    },
  };
}

const lookEveryMs = 1_000;
/** The same while the store tells of what is sent. */
const restMs = 10_000;

/** Waits until something is sent to the run, or the earliest of its moments has come. */
export async function untilWord(store: Store, runId: string, waits: readonly Wait[]): Promise<void> {
  const due = Math.min(...waits.map((wait) => wait.due ?? Number.POSITIVE_INFINITY));
  const known = (await store.signals(runId)).length;
  let isTold = false;
  let told = new AbortController();
  const off = store.watch?.({
    news: (of) => void (of === runId && told.abort()),
    live: (isLive) => {
      isTold = isLive;
      told.abort(); // nobody has told what was sent before
    },
  });
  try {
    while (Date.now() < due && (await store.signals(runId)).length === known) {
      const ms = Math.max(1, Math.min(isTold ? restMs : lookEveryMs, due - Date.now()));
      await setTimeout(ms, undefined, { signal: told.signal }).catch(() => {});
      told = new AbortController();
    }
  } finally {
    off?.();
  }
}
