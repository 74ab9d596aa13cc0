import type { Command } from "commander";
import type { Entry } from "../../../core/entries.ts";
import { eventOf } from "../../../core/events.ts";
import { fold } from "../../../core/fold.ts";
import { eventView } from "../../../lens/event.ts";
import { exitCodeOfRun } from "../../exit.ts";
import { eventLine } from "../../lens/event-text.ts";
import { follow } from "../../lens/follow.ts";
import { atRun, type LookFlags, looking, type Recorded } from "../../lens/recorded.ts";
import { WatchPicture } from "../../lens/watch-picture.ts";
import { Picture } from "../../live.ts";
import { printable, redact, result } from "../../terminal.ts";

/** `flujo lens watch RUN` */
export function declare(lens: Command, done: (exitCode: number) => void): void {
  const command = lens
    .command("watch <run>")
    .description(
      "Follow a run, whichever process advances it, until it comes to stand. With --json each event is a line of its own.",
    );
  looking(command).action(async (name: string, flags: LookFlags) =>
    done(await atRun(name, flags, (run) => watch(run, flags))),
  );
}

/** @returns the exit code of how the run came to stand. */
async function watch({ store, runId }: Recorded, { json }: LookFlags): Promise<number> {
  const isLive = !json && process.stderr.isTTY && process.env.TERM !== "dumb";
  const entries = isLive
    ? await draw((take) => follow(store, runId, take), runId)
    : await follow(store, runId, (fresh, [first]) =>
        result((json ? documents : lines)(fresh, first?.at ?? 0)),
      );
  return exitCodeOfRun(fold(entries).status);
}

const documents = (entries: readonly Entry[]): string =>
  entries.map((entry) => `${JSON.stringify(eventView(eventOf(entry)))}\n`).join("");

function lines(entries: readonly Entry[], began: number): string {
  const told = entries.map((entry) => eventLine(eventOf(entry), began)).filter((line) => line !== undefined);
  return told.map((line) => `${redact(printable(line))}\n`).join("");
}

const everyMs = 250;

/** Draws what has come so far, again and again: times of what is at work go on. */
async function draw(
  read: (
    take: (fresh: readonly Entry[], all: readonly Entry[]) => Promise<void>,
  ) => Promise<readonly Entry[]>,
  runId: string,
): Promise<readonly Entry[]> {
  const picture = new Picture();
  const watched = new WatchPicture(runId);
  let isBegun = false;
  const show = (): void => {
    const { columns, rows } = process.stderr;
    if (!isBegun) return;
    const size = { width: Math.max(20, (columns || 80) - 1), height: Math.max(3, (rows || 24) - 2) };
    const frame = { ...size, now: Date.now() };
    picture.draw(watched.lines(frame));
  };
  const timer = setInterval(show, everyMs);
  try {
    return await read(async (fresh) => {
      watched.take(fresh);
      isBegun = true;
    });
  } finally {
    clearInterval(timer);
    show();
  }
}
