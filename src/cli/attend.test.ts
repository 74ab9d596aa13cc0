import { expect, test } from "vitest";
import { SignalRefusedError } from "../core/errors.ts";
import type { Watcher } from "../ports/store.ts";
import { memory } from "../stores/memory.ts";
import { askAt, type Desk, untilWord } from "./attend.ts";

const desk = (...answers: (string | boolean | undefined)[]): Desk & { readonly heard: string[] } => {
  const heard: string[] = [];
  const next = async (question: string) => {
    heard.push(question);
    return answers.shift();
  };
  return { heard, confirm: next as Desk["confirm"], text: next as Desk["text"] }; // each test answers in the kind asked
};

test("a person is asked one thing after the other; what is JSON is meant as JSON", async () => {
  const sent: unknown[] = [];
  const at = desk(true, '{"a":1}', "just words");
  const asked = [
    { path: "/a", prompt: "Pay?", isApproval: true },
    { path: "/b", prompt: "What?", isApproval: false },
    { path: "/c", prompt: "", isApproval: false },
  ];
  expect(await askAt(at, asked, async (path, answer) => void sent.push([path, answer]))).toBe(true);
  expect(sent).toEqual([
    ["/a", { approved: true }],
    ["/b", { a: 1 }],
    ["/c", "just words"],
  ]);
  expect(at.heard).toEqual(["Pay?", "What?", "/c"]);
});

test("an answer that is refused is asked for again; whoever has had enough is left alone", async () => {
  const tried: unknown[] = [];
  const send = async (_: string, answer: unknown): Promise<void> => {
    tried.push(answer);
    if (answer === "wrong") throw new SignalRefusedError("unfit", "answer of /a does not fit its schema");
  };
  const asked = [
    { path: "/a", prompt: "\u001b[2JWhat?", isApproval: false },
    { path: "/b", prompt: "And?", isApproval: false },
  ];
  const at = desk("wrong", "right", undefined);
  expect(await askAt(at, asked, send)).toBe(true);
  expect(tried).toEqual(["wrong", "right"]);
  expect(at.heard).toEqual(["\\x1b[2JWhat?", "\\x1b[2JWhat?", "And?"]);
  expect(await askAt(desk(undefined), asked, send)).toBe(false);
});

test("whoever waits for an answer hears of it from a store that tells, and does not ask it all the time", async () => {
  const inner = memory();
  const watchers = new Set<Watcher>();
  let asked = 0;
  const store = {
    ...inner,
    signals(runId: string) {
      asked += 1;
      return inner.signals(runId);
    },
    watch(watcher: Watcher) {
      watchers.add(watcher);
      queueMicrotask(() => watcher.live(true));
      return () => void watchers.delete(watcher);
    },
  };
  await store.acquire({ runId: "r", owner: "me", now: 0, ttlMs: 1, create: true });
  const word = untilWord(store, "r", []);
  await expect.poll(() => asked).toBeGreaterThan(2); // before it was told that it is told, and after
  for (const { news } of watchers) news("another");
  await store.send("r", { id: "s", path: "/p/ask", data: 1, at: 0 });
  for (const { news } of watchers) news("r");
  await word;
  expect(asked).toBeLessThan(6);
  expect(watchers.size).toBe(0);
});
