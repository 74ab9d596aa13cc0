import { duration } from "../format.ts";
import { redact, say } from "../terminal.ts";
import type { Happening, Tell } from "./happening.ts";

/** Lines of JSON on standard output; or lines for people on standard error. */
export const teller = (json: boolean): Tell => (json ? tellJson : tellPlain);

function tellJson(happening: Happening): void {
  const { type, ...rest } = happening;
  process.stdout.write(`${redact(JSON.stringify({ at: new Date().toISOString(), type, ...rest }))}\n`);
}

function tellPlain(happening: Happening): void {
  for (const line of linesOf(happening)) say(line);
}

const headWidth = 10;
const head = (word: string): string => word.padEnd(headWidth);

function linesOf(happening: Happening): string[] {
  switch (happening.type) {
    case "serving":
      return [
        `Serving ${happening.folder} on ${happening.store}`,
        ...happening.pipelines.map(({ name, file }) => `  ${name}  ${file}`),
        ...(happening.queues ? [`Takes runs of ${happening.queues.join(", ")}`] : []),
        ...(happening.engine === undefined ? [] : [`Handed runs by ${happening.engine}`]),
        happening.url === null ? "Without HTTP." : `Listening at ${happening.url}`,
      ];
    case "not-served":
      return [`${head("not served")} ${happening.file}: ${withHint(happening)}`];
    case "left-alone":
      return [
        `${head("left alone")} runs of "${happening.pipeline}", which is not served here, as ${happening.runId}`,
      ];
    case "run-advanced":
      return [`${head(happening.why)} ${happening.runId}  ${happening.pipeline}`];
    case "run-ended": {
      const { status, runId, pipeline, tookMs, message } = happening;
      const after = `after ${duration(tookMs)}${message === null ? "" : `: ${message}`}`;
      return [`${head(status)} ${runId}  ${pipeline}  ${after}`];
    }
    case "run-refused":
      return [`${head("refused")} ${happening.runId}  ${happening.pipeline}: ${withHint(happening)}`];
    case "trouble":
      return [`${head("trouble")} ${happening.message}`];
    case "stopping": {
      const { running, graceMs } = happening;
      if (running === 0) return ["Stopping."];
      const what = running === 1 ? "1 run finishes its operation" : `${running} runs finish their operations`;
      return [
        `Stopping: ${what}, for ${duration(graceMs)} at most. A second signal ends this at once, and loses nothing recorded.`,
      ];
    }
    case "stopped":
      return stopped(happening);
  }
}

const withHint = ({ message, hint }: { readonly message: string; readonly hint: string | null }): string =>
  hint === null ? message : `${message}. ${hint}`;

function stopped({ handedOver, cutOff }: Extract<Happening, { type: "stopped" }>): string[] {
  if (handedOver.length === 0) return ["Stopped: no run was under way any more."];
  const lines = [`Stopped. Handed over to whoever serves this store next: ${listOf(handedOver)}`];
  if (cutOff.length > 0) {
    lines.push(`Cut off in the middle of an operation, which will be done again: ${listOf(cutOff)}`);
  }
  return lines;
}

const mostListed = 20;

function listOf(runIds: readonly string[]): string {
  const more = runIds.length - mostListed;
  return `${runIds.slice(0, mostListed).join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
