import { randomBytes } from "node:crypto";
import { readFileSync, readlinkSync } from "node:fs";
import { hostname } from "node:os";
import type { World } from "./ports/world.ts";

/** The longest wait Node's timers know; longer ones are taken in parts. */
const longestTimer = 2 ** 31 - 1;

/** The real world: this process's clock, randomness and name. */
export function nodeWorld(): World {
  return {
    now: Date.now,
    random: Math.random,
    id: () => sortableId(Date.now()),
    timer(ms, callback, options = {}) {
      let timer: NodeJS.Timeout;
      const arm = (left: number): void => {
        const part = Math.min(left, longestTimer);
        timer = setTimeout(() => (left > part ? arm(left - part) : callback()), part);
        if (options.background) timer.unref();
      };
      arm(Math.max(0, ms));
      return () => clearTimeout(timer);
    },
    soon: (callback) => void setImmediate(callback),
    owner: self(),
    isGone,
  };
}

/** UUIDv7 (RFC 9562): 48 bits of time, then randomness; ids made later sort later. */
function sortableId(now: number): string {
  const bytes = randomBytes(16);
  bytes.writeUIntBE(now, 0, 6);
  bytes.writeUInt8(0x70 | (bytes.readUInt8(6) & 0x0f), 6);
  bytes.writeUInt8(0x80 | (bytes.readUInt8(8) & 0x3f), 8);
  const hex = bytes.toString("hex");
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join("-");
}

let name: string | undefined;

/** `host pid start`: a process, so that another on the same machine can tell whether it still lives. */
function self(): string {
  name ??= `${place()} ${process.pid} ${startOf(process.pid) ?? "?"}`;
  return name;
}

/** The machine, and the process-id namespace on it: a pid means something only there. */
function place(): string {
  try {
    return `${hostname()}/${readlinkSync("/proc/self/ns/pid").replace(/\D/g, "")}`;
  } catch {
    return hostname();
  }
}

/** When a process started, in the kernel's ticks: tells it from a later one with the same pid. */
function startOf(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return fields[0] === "Z" ? undefined : fields[19]; // a zombie is gone
  } catch {
    return undefined;
  }
}

function isGone(owner: string): boolean {
  const [at, pid, start] = owner.split(" ");
  if (at !== place() || pid === undefined || !/^\d+$/.test(pid)) return false;
  try {
    process.kill(Number(pid), 0);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "ESRCH";
  }
  return start !== undefined && start !== "?" && startOf(Number(pid)) !== start;
}
