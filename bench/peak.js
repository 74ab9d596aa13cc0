/** Loaded before a program (`--import`), says on stderr at its end how much memory it took at most, in MB. */
import { readFileSync } from "node:fs";

process.on("exit", () => {
  process.stderr.write(`peak ${peakMb()}\n`);
});

/** maxRSS may be inherited from the parent on Linux, VmHWM is this program's own. */
function peakMb() {
  try {
    return (Number(/^VmHWM:\s+(\d+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1]) * 1024) / 1e6;
  } catch {
    return (process.resourceUsage().maxRSS * 1024) / 1e6;
  }
}
