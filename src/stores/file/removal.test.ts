import { fork } from "node:child_process";
import { mkdtempSync, readdirSync, renameSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import type { Store } from "../../ports/store.ts";
import { file } from "../file.ts";
import { removeRun } from "./removal.ts";

/** A store with one run, whose folder is known. */
async function begun() {
  const root = mkdtempSync(join(tmpdir(), "flujo-removal-"));
  const open = (): Store => {
    const store = file(root);
    onTestFinished(() => store.close());
    return store;
  };
  onTestFinished(() => rmSync(root, { recursive: true }));
  const store = open();
  await store.acquire({ runId: "r.1", owner: "me", now: 0, ttlMs: 1_000, create: true });
  const entry = {
    type: "operation-completed",
    path: "/t",
    kind: "run",
    output: 1,
    took: 0,
    seq: 0,
    at: 0,
  } as const;
  await store.commit([{ runId: "r.1", fence: 1, entries: [entry], blobs: [] }]);
  return { root, store, open, folder: join(root, "runs", "r.1") };
}
const signal = (id: string) => ({ id, path: "/p", data: 1, at: 0 }) as const;

test("whatever a run is needed for, it is there while it is decided whether it goes", async () => {
  const needs: { readonly [what: string]: (store: Store) => Promise<unknown> } = {
    send: async (store) => expect(await store.send("r.1", signal("s"))).toBe(true),
    read: async (store) => expect(await store.read("r.1", 0, 9)).toHaveLength(1),
    signals: async (store) => expect(await store.signals("r.1")).toEqual([]),
    acquire: async (store) =>
      expect(await store.acquire({ runId: "r.1", owner: "you", now: 0, ttlMs: 1 })).toMatchObject({
        outcome: "held",
      }),
    create: async (store) =>
      expect(await store.acquire({ runId: "r.1", owner: "you", now: 0, ttlMs: 1, create: true })).toEqual({
        outcome: "exists",
      }),
  };
  for (const need of Object.values(needs)) {
    const { root, store, open, folder } = await begun();
    const other = open();
    await other.list({});
    expect(removeRun(root, folder, 2, 0)).toBe(false); // which makes the folder it takes runs aside to
    renameSync(folder, join(root, "leaving", `${"0".repeat(36)}.r.1`)); // there a remover stands still
    await need(other);
    expect(readdirSync(join(root, "leaving"))).toEqual([]);
    expect(await store.read("r.1", 0, 9)).toHaveLength(1);
  }
});

test("a run whose remover has died is where it was for who opens the store next, and is listed", async () => {
  const { root, open, folder } = await begun();
  expect(removeRun(root, folder, 2, 0)).toBe(false);
  renameSync(folder, join(root, "leaving", `${"0".repeat(36)}.r.1`));
  await open().list({});
  expect(readdirSync(join(root, "runs"))).toEqual(["r.1"]);
});

test("nothing that is sent while another process tries to remove the run is refused, or lost", async () => {
  const { root, store, folder } = await begun();
  await store.send("r.1", signal("first"));
  const remover = fork(new URL("../../../tests/stores/remover.ts", import.meta.url), [
    root,
    folder,
    "1",
    "0",
  ]);
  onTestFinished(() => void remover.kill("SIGKILL"));
  await new Promise((resolve) => remover.once("message", resolve));
  let sent = 1;
  for (let round = 0; round < 60; round += 1) {
    let answer: unknown;
    remover.once("message", (message) => {
      answer = message;
    });
    remover.send("try");
    while (answer === undefined) {
      expect(await store.send("r.1", signal(`s${sent}`))).toBe(true);
      sent += 1;
      await new Promise((resolve) => setImmediate(resolve));
    }
    expect(answer).toBe(false);
  }
  expect(await store.signals("r.1")).toHaveLength(sent);
});

test("a run that is removed is gone, for whoever asks", async () => {
  const { root, store, folder } = await begun();
  await store.send("r.1", signal("s"));
  expect(removeRun(root, folder, 1, 1)).toBe(true);
  expect(await store.send("r.1", signal("t"))).toBe(false);
  expect(await store.read("r.1", 0, 9)).toBeUndefined();
  expect(readdirSync(join(root, "leaving"))).toEqual([]);
  expect(readdirSync(join(root, "removed"))).toEqual([]);
});
