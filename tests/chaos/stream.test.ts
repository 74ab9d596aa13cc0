/** `kill -9` while an answer streams: what came is kept, nothing recorded is bought again. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, test } from "vitest";
import type { Entry } from "../../src/core/entries.ts";
import { type OpenAIServer, openaiServer, type ServedRequest } from "../../src/testing/openai-server.ts";
import { endAll, ending, journalOf, kill, start } from "./child.ts";
import { type Job, kinds } from "./job.ts";

const story = "Call me Ishmael. Some years ago, never mind how long precisely, I went to sea.";
/** Of the answer that is cut, so many events come; the rest never does. */
const eventsBeforeKill = 9;

describe.each(kinds)("killed in the middle of a stream, with the journal on %s", (kind) => {
  let folder: string;
  let server: OpenAIServer;
  let isCut: (request: ServedRequest) => boolean;
  beforeEach(async () => {
    folder = mkdtempSync(join(tmpdir(), "flujo-stream-"));
    server = await openaiServer({
      reply: ({ index, body, text }) => {
        if (text.includes("2 + 3?")) {
          return index === 0 ? { toolCalls: [{ name: "add", input: { a: 2, b: 3 } }] } : "It is five.";
        }
        return story.slice(saidIn(body).length);
      },
      beforeEvent: (event, request) =>
        event === eventsBeforeKill && isCut(request) ? new Promise(() => {}) : undefined,
    });
  });
  afterEach(async () => {
    await endAll();
    await server.close();
    rmSync(folder, { recursive: true });
  });

  /** Kills a process in the middle of the answer, when some of it is recorded, and has another one go on. */
  async function killed(pipeline: Job["pipeline"], input: string) {
    const place = { kind, folder: join(folder, "store") };
    const job: Job = { pipeline, input, place, runId: "r", log: join(folder, "log") };
    const env = { OPENAI_BASE_URL: server.url, OPENAI_API_KEY: "sk-of-nobody" };
    const first = start(job, env);
    await first.until("recorded", ({ entry }) => entry === "text-streamed");
    await kill(first);
    const [cut = ""] = textsIn(await journalOf(place, "r")).slice(-1);
    expect(cut).not.toBe("");
    const asked = server.requests.length;
    const ended = await ending(start(job, env));
    const entries = await journalOf(place, "r");
    expect(ended.spent.picoUsd).toBeGreaterThanOrEqual(server.billedPicoUsd);
    expect(entries.filter((entry) => "doubt" in entry)).toHaveLength(1);
    return { cut, ended, texts: textsIn(entries), later: server.requests.slice(asked) };
  }

  test("with onCut: repeat, all of it is asked for again, and what came before is kept", async () => {
    isCut = ({ index }) => index === 0;
    const { cut, ended, texts, later } = await killed("repeated", "sea");
    expect(ended).toMatchObject({ status: "completed", output: story });
    expect(story.startsWith(cut)).toBe(true);
    expect(texts).toEqual([cut, story]);
    expect(later.map(({ body }) => saidIn(body))).toEqual([""]);
  });

  test("with onCut: continue, only the rest is", async () => {
    isCut = ({ index }) => index === 0;
    const { cut, ended, texts, later } = await killed("continued", "sea");
    expect(ended).toMatchObject({ status: "completed", output: story });
    expect(texts).toEqual([cut, story.slice(cut.length)]);
    expect(later.map(({ body }) => saidIn(body))).toEqual([cut]);
  });

  test("within code that uses ctx.model, finished calls are not made again", async () => {
    isCut = ({ index }) => index === 2;
    const { ended, later } = await killed("imperative", "2 + 3?");
    expect(ended).toMatchObject({ status: "completed", output: story });
    expect(server.requests).toHaveLength(4);
    expect(later.map(({ text }) => text)).toEqual(["Tell: It is five."]);
  });
});

/** What each call said, in order. */
function textsIn(entries: readonly Entry[]): string[] {
  const streamed = entries.flatMap((entry) => (entry.type === "text-streamed" ? [entry] : []));
  return [...Map.groupBy(streamed, ({ of }) => of).values()].map((parts) =>
    parts.flatMap(({ chunks }) => chunks).join(""),
  );
}

/** What the assistant has said already, in a request for a chat completion. */
function saidIn({ messages }: ServedRequest["body"]): string {
  const all = messages as readonly { readonly role: string; readonly content: string }[]; // by its format
  return all.find(({ role }) => role === "assistant")?.content ?? "";
}
