import { describe, expect, it } from "vitest";
import { checkedScope, daily, percents, scopeRecord, termsAt } from "./scopes.ts";

const at = (iso: string): number => Date.parse(iso);

describe("a shared scope", () => {
  it("is a name, or a name with the limits a new account gets", () => {
    expect(scopeRecord("tenant:acme")).toEqual({ scope: "tenant:acme", limits: {}, alertAt: [] });
    expect(scopeRecord({ scope: "day", cost: "$20", toolCalls: 5, alertAt: [0.8, 0.5, 0.8] })).toEqual({
      scope: "day",
      limits: { picoUsd: "20000000000000", toolCalls: 5 },
      alertAt: [50, 80],
    });
  });

  it("of a day or a month is another account in each, by the clock of its time zone", () => {
    const utc = scopeRecord(daily("acme", "$20"));
    const madrid = scopeRecord(daily("acme", { calls: 3 }, { timeZone: "Europe/Madrid", alertAt: [1] }));
    const monthly = scopeRecord({ scope: "acme", per: "month" });
    const evening = at("2026-11-30T23:30:00Z");
    expect(termsAt(utc, evening)).toEqual({
      scope: "acme:2026-11-30",
      limits: { picoUsd: "20000000000000" },
      alertAt: [],
    });
    expect(termsAt(madrid, evening)).toEqual({
      scope: "acme:2026-12-01",
      limits: { calls: 3 },
      alertAt: [100],
    });
    expect(termsAt(monthly, evening).scope).toBe("acme:2026-11");
    expect(termsAt(monthly, at("2026-12-01T00:00:00Z")).scope).toBe("acme:2026-12");
  });

  it("has the day of its own time zone, however many others are asked in between", () => {
    const midnight = at("2026-11-30T00:00:00Z");
    const zones = Array.from({ length: 60 }, (_, i) => String(i).padStart(2, "0"));
    const ahead = zones.map((minutes) => `+01:${minutes}`);
    const behind = zones.map((minutes) => `-01:${minutes}`);
    for (const [timeZones, day] of [
      [ahead, "acme:2026-11-30"] as const,
      [behind, "acme:2026-11-29"] as const,
    ])
      for (const timeZone of [...timeZones, ...timeZones])
        expect(termsAt(scopeRecord(daily("acme", "$1", { timeZone })), midnight).scope).toBe(day);
  });

  it("has no limit of time, and knows time zones from other words", () => {
    const timed = { scope: "day", time: "1h" } as object as { scope: string };
    expect(() => scopeRecord(timed)).toThrow(/has a limit of time/);
    expect(() => scopeRecord(daily("day", "$1", { timeZone: "Mars/Olympus" }))).toThrow(/is no time zone/);
  });

  it.each(["", " a", "a ", "a\nb", "a\0b", "\ud800", "x".repeat(201)])("is not named %j", (name) => {
    expect(() => checkedScope(name)).toThrow(/cannot name a shared budget/);
  });

  it.each(["a", "tenant:acme", "Größe 日本 'x' \"y\" %_", "x".repeat(200)])("may be named %j", (name) => {
    expect(checkedScope(name)).toBe(name);
  });
});

describe("parts of a limit", () => {
  it("are percents, exact to a hundredth", () => {
    expect(percents([0.333, 1, 0.00001])).toEqual([0.01, 33.3, 100]);
    expect(percents()).toEqual([]);
  });
});
