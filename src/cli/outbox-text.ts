/** What is not delivered, as text for people. */
import type { Dead, Undelivered, Waiting } from "../events/undelivered.ts";
import { duration } from "./format.ts";
import { printable, redact } from "./terminal.ts";

/** First what is still tried, then the dead letters, each with its id. */
export function outboxText({ waiting, dead }: Undelivered, now: number): string {
  const lines = [
    ...(waiting.length === 0 ? [] : ["not delivered yet"]),
    ...waiting.map((one) => waitingText(one, now)),
    ...(dead.length === 0 ? [] : ["dead letters"]),
    ...dead.map(deadText),
  ];
  return redact(printable(lines.join("\n")));
}

function waitingText({ sink, runId, seq, attempts, why, dueAt }: Waiting, now: number): string {
  const from = `  ${sink}  run ${runId}, from event ${seq} on`;
  if (why === null || dueAt === null) return from;
  const ms = Date.parse(dueAt) - now;
  const next = ms > 0 ? `the next in ${duration(ms)}` : "the next is due";
  return `${from}\n    ${tries(attempts)}, ${next}: ${why}`;
}

const deadText = ({ id, sink, runId, type, path, attempts, at, why }: Dead): string =>
  `  ${id}  ${sink}  run ${runId}: ${type} at ${path}\n    given up after ${tries(attempts)}, ${at}: ${why}`;

const tries = (n: number): string => (n === 1 ? "1 try" : `${n} tries`);
