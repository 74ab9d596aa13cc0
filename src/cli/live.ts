/** Progress as a tree that is drawn over itself, for terminals. */
import { count, duration, money } from "./format.ts";
import type { Line, Progress } from "./progress.ts";
import { paint, printable, redact } from "./terminal.ts";

const everyMs = 100;
const spinner = ["⠋", "⠙", "⠹", "⠸", "⠼", "⠴", "⠦", "⠧", "⠇", "⠏"];

/** Draws until stopped; the last picture stays. What others write meanwhile goes above it. */
export function drawLive(progress: Progress, startedAt: number): () => void {
  const { stderr, stdout } = process;
  const write = stderr.write.bind(stderr);
  let height = 0;
  let frame = 0;

  const erase = (): void => {
    if (height > 0) write(`\x1b[${height}A\x1b[J`);
    height = 0;
  };
  const draw = (): void => {
    const lines = picture(progress, {
      width: Math.max(20, (stderr.columns || 80) - 1),
      height: Math.max(3, (stderr.rows || 24) - 2),
      spin: spinner[frame++ % spinner.length] as string, // within its length
      tookMs: Date.now() - startedAt,
    });
    erase();
    write(redact(`${lines.join("\n")}\n`));
    height = lines.length;
  };
  const restore = [stderr, stdout].map((stream) => stepAside(stream, erase));
  const timer = setInterval(draw, everyMs);
  timer.unref();

  return () => {
    clearInterval(timer);
    for (const undo of restore) undo();
    draw();
  };
}

/** A picture that is drawn over itself on stderr. */
export class Picture {
  #height = 0;

  draw(lines: readonly string[]): void {
    const above = this.#height > 0 ? `\x1b[${this.#height}A\x1b[J` : "";
    process.stderr.write(`${above}${redact(lines.join("\n"))}\n`);
    this.#height = lines.length;
  }
}

/** Takes the picture away before a line of somebody else's is written. */
function stepAside(stream: NodeJS.WriteStream, erase: () => void): () => void {
  if (!stream.isTTY) return () => {};
  const write = stream.write;
  stream.write = ((...args: Parameters<typeof write>) => {
    erase();
    return Reflect.apply(write, stream, args);
  }) as typeof write; // all overloads go through
  return () => {
    stream.write = write;
  };
}

interface Frame {
  readonly width: number;
  readonly height: number;
  readonly spin: string;
  readonly tookMs: number;
}

/** Of the places where a model is speaking, so many are listened to at once. */
const mostSpeaking = 3;

/** The lines of one picture: the tree, cut to what fits, and the totals. */
export function picture(progress: Progress, frame: Frame): string[] {
  const { lines, calls, picoUsd, undone } = progress;
  const totals = [
    duration(frame.tookMs),
    ...(calls === 0 ? [] : [count(calls, "call"), money(picoUsd)]),
    ...(undone === 0 ? [] : [`${count(undone, "place")} undone`]),
  ];
  const speaking = lines.filter(({ saying }) => saying !== undefined).length;
  const most = Math.min(speaking, mostSpeaking, Math.floor(frame.height / 3));
  let heard = 0;
  const busy = lines.findIndex((line) => line.running.size > 0 || line.waiting || line.saying !== undefined);
  const next = busy >= 0 ? busy : lines.findLastIndex((line) => line.done > 0);
  const shown = around(lines, next, frame.height - 1 - most).flatMap((line) => {
    if (typeof line === "string") return paint("dim", line);
    const isHeard = line.saying !== undefined && heard < most;
    if (isHeard) heard += 1;
    return isHeard ? [drawn(line, progress, frame), said(line, frame)] : drawn(line, progress, frame);
  });
  return [...shown, paint("dim", totals.join(" · "))];
}

/** As many lines as fit: the one at `next`, and what is around it. */
export function around<T>(lines: readonly T[], next: number, most: number): readonly (T | string)[] {
  if (lines.length <= most) return lines;
  const room = Math.max(1, most - 2);
  const from = Math.max(0, Math.min(next - Math.floor(room / 2), lines.length - room));
  const before = from === 0 ? [] : [`… ${from} above`];
  const after = lines.length - from - room;
  return [...before, ...lines.slice(from, from + room), ...(after <= 0 ? [] : [`… ${after} below`])];
}

function drawn(line: Line, progress: Progress, { width, spin }: Frame): string {
  const state = stateOf(line, progress);
  const { mark, style } = looks[state];
  const text = printable([line.name, ...facts(line)].join("  ")).slice(
    0,
    Math.max(1, width - 2 * line.depth - 2),
  );
  const shown = state === "pending" ? paint("dim", text) : text;
  return `${"  ".repeat(line.depth)}${paint(style, state === "working" ? spin : mark)} ${shown}`;
}

/** The end of what is being said, as much as fits below the line. */
function said({ saying, depth }: Line, { width }: Frame): string {
  const indent = "  ".repeat(depth + 1);
  const text = printable(redact(saying?.text ?? "").replace(/\s+/g, " "));
  return indent + paint("dim", ending(text, Math.max(1, width - indent.length)));
}

/** The end of a text in so many columns, where one that is not Latin may take two. */
function ending(text: string, columns: number): string {
  const chars = [...text];
  const wide = (char: string | undefined): number => ((char ?? "") > "\u02ff" ? 2 : 1);
  if (chars.reduce((sum, char) => sum + wide(char), 0) <= columns) return text;
  let from = chars.length;
  for (let left = columns - 1; from > 0; from--) {
    left -= wide(chars[from - 1]);
    if (left < 0) break;
  }
  return `…${chars.slice(from).join("")}`;
}

const looks = {
  pending: { mark: "·", style: "dim" },
  working: { mark: "", style: "cyan" },
  done: { mark: "✔", style: "green" },
  failed: { mark: "✖", style: "red" },
  waiting: { mark: "?", style: "yellow" },
  stopped: { mark: "■", style: "yellow" },
} as const;

function stateOf(line: Line, progress: Progress): keyof typeof looks {
  const within = progress.lines.filter((one) => one === line || isInside(one, line));
  if (within.some((one) => one.waiting)) return "waiting";
  if (!within.some((one) => one.done > 0 || one.failed > 0 || one.items > 0 || one.running.size > 0))
    return "pending";
  const isOver = isFinished(line) || (line.repeats !== undefined && isFinished(line.repeats));
  if (!isOver && !progress.ended) return "working";
  if (isOver || within.every((one) => one.failed <= one.done))
    return line.done === 0 && line.failed > 0 ? "failed" : "done";
  return within.some((one) => one.failed > 0 && one.done === 0) ? "failed" : "stopped";
}

/** Whether nothing more will happen there: single steps and containers tell it themselves. */
const isFinished = (line: Line): boolean =>
  line.repeats === undefined || line.repeats === line ? line.done > 0 : false;

const isInside = (one: Line, line: Line): boolean =>
  one !== line && (one.place.startsWith(`${line.place}/`) || one.place.startsWith(`${line.place}[`));

/** Whether the line stands for many operations. */
const isMany = ({ repeats }: Line): boolean => repeats !== undefined;

function facts(line: Line): string[] {
  const many = (n: number): string => n.toLocaleString("en");
  const found: string[] = [];
  if (line.kind === "mapOver" && (line.items > 0 || line.total !== undefined)) {
    found.push(
      line.total === undefined ? `${many(line.items)} done` : `${many(line.items)}/${many(line.total)}`,
    );
  } else if (isMany(line) && line.done > 0) found.push(`${many(line.done)} done`);
  else if (line.done > 0) found.push(line.cached > 0 ? "cached" : duration(line.tookMs));
  if (isMany(line) && line.cached > 0) found.push(`${many(line.cached)} cached`);
  if (line.failed > 0) found.push(count(line.failed, "failed attempt"));
  if (line.waiting) found.push("waits for an answer");
  if (line.picoUsd > 0n) found.push(money(line.picoUsd));
  return found;
}
