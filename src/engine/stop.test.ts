import { describe, expect, it } from "vitest";
import { Stop, untilAborted } from "./stop.ts";

describe("a stop", () => {
  it("reaches everything below it, bodies first, calls only when cut", () => {
    const root = new Stop();
    const child = new Stop(root);
    const { signal, callSignal } = child;
    const reason = new Error("enough");
    root.fire(reason);
    expect([signal.aborted, callSignal.aborted]).toEqual([true, false]);
    expect(signal.reason).toBe(reason);
    root.cut();
    expect(callSignal.aborted).toBe(true);
  });

  it("does not reach above, and keeps its first reason", () => {
    const root = new Stop();
    const child = new Stop(root);
    const first = new Error("first");
    child.fire(first);
    root.fire(new Error("second"));
    expect(child.reason).toBe(first);
    expect(new Stop(root).reason?.message).toBe("second");
  });

  it("leaves work behind that ignores its signal", async () => {
    const stop = new Stop();
    const raced = stop.race(() => new Promise(() => {}));
    stop.fire(new Error("late"));
    await expect(raced).rejects.toThrow("late");
  });

  it("is no longer reached once it has ended", () => {
    const root = new Stop();
    const child = new Stop(root);
    child.end();
    root.fire(new Error("x"));
    expect(child.reason).toBeUndefined();
  });

  it("begins no work once fired", async () => {
    const stop = new Stop();
    stop.fire(new Error("no"));
    let begun = false;
    await expect(stop.race(() => (begun = true))).rejects.toThrow("no");
    expect(begun).toBe(false);
  });
});

describe("a call that is waited for until its signal fires", () => {
  it("comes back as itself when it is first, and is left behind when the signal is", async () => {
    const cut = new AbortController();
    expect(await untilAborted(Promise.resolve("answer"), cut.signal)).toBe("answer");
    await expect(untilAborted(Promise.reject(new Error("refused")), cut.signal)).rejects.toThrow("refused");
    const deaf = untilAborted(new Promise(() => {}), cut.signal);
    cut.abort(new Error("enough"));
    await expect(deaf).rejects.toThrow("enough");
    await expect(untilAborted(Promise.resolve("late"), cut.signal)).rejects.toThrow("enough");
  });
});
