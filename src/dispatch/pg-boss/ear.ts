/** A worker that hears of jobs, among others that hear the same. */
import { randomUUID } from "node:crypto";
import type { Newsroom } from "../../ports/newsroom.ts";
import type { Bell } from "../polling-shift.ts";
import { Crew } from "./crew.ts";
import { type Said, saidIn } from "./line.ts";

/** Workers say so often to one another that they are there. */
const presentMs = 10_000;
/** For each job so many look, one after the other, should those before have died or be full. Beyond that there are rare looks. */
const mostLooks = 3;

/**
 * Rings for what is told, in its turn among the first few, until the signal fires.
 *
 * @param laterMs between the look of one worker and the next.
 * @param tell says something to all of them.
 */
export function hearJobs(
  { newsroom, tell }: { readonly newsroom: Newsroom; readonly tell: (said: Said) => void },
  { queues, laterMs }: { readonly queues: readonly string[]; readonly laterMs: number },
  bell: Bell,
  stop: AbortSignal,
): void {
  const worker = randomUUID();
  const crew = new Crew({ worker, queues });
  let isLive = false;
  const off = newsroom.watch({
    news(text) {
      const said = saidIn(text);
      const now = performance.now();
      if (said === undefined) return;
      if ("worker" in said) return crew.hear(said, now);
      if (!queues.includes(said.queue)) return;
      const place = crew.placeOf(said.queue, said.ticket, now);
      if (place < mostLooks) bell.ring(said.queue, said.inMs + place * laterMs);
    },
    live(carries) {
      isLive = carries;
      if (carries) tell({ worker, queues });
      for (const queue of queues) bell.live(queue, carries);
    },
  });
  const timer = setInterval(() => isLive && tell({ worker, queues }), presentMs).unref();
  const leave = (): void => {
    clearInterval(timer);
    off();
    if (isLive) tell({ worker, queues: [] });
  };
  stop.addEventListener("abort", leave, { once: true });
}
