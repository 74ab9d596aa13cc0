import { SignJWT } from "jose";
import { describe, expect, it } from "vitest";
import { mapOver, pipeline, step } from "../core/compose.ts";
import { eventOf } from "../core/events.ts";
import { humanInTheLoop, waitFor } from "../core/pauses.ts";
import { scene } from "../testing/scene.ts";
import { AnswerLinks } from "./answer-links.ts";

const day = 86_400_000;
const publicUrl = "https://flujo.example/at/";
const [old, young] = ["an-old-secret-of-thirty-two-chars!", "a-young-secret-of-thirty-two-chars"] as const;
const tokenIn = (link: string): string => link.slice(link.lastIndexOf("/") + 1);

/** A run that asks. */
async function asked(terms: object = {}) {
  const on = scene();
  const made = pipeline("p", humanInTheLoop("ask", { prompt: (text: string) => `${text}?`, ...terms }));
  await on.cast(made, { takeOver: false }).run("x", { runId: "r" });
  const links = (parts: object = {}) =>
    new AnswerLinks({ store: on.store, world: on.world, publicUrl, ...parts });
  return { on, made, links };
}

describe("an answer link", () => {
  it("leads to the page, and says which question it is for, who answers, what, and until when", async () => {
    const { on, links } = await asked();
    const maker = links();
    const link = await maker.to("r", "/p/ask", { by: "ana", answer: { approved: true }, expires: "2d" });
    expect(link).toMatch(/^https:\/\/flujo\.example\/at\/answer\/[\w-]+\.[\w-]+\.[\w-]+$/);
    expect(await maker.read(tokenIn(link))).toEqual({
      is: "valid",
      invitation: {
        ...{ runId: "r", path: "/p/ask", of: 1, by: "ana", answer: { value: { approved: true } } },
        until: on.world.now() + 2 * day,
      },
    });
  });

  it("ends after a week, or when no answer is taken any more", async () => {
    const until = async (terms: object) => {
      const { on, links } = await asked(terms);
      const opened = await links().read(tokenIn(await links().to("r", "/p/ask")));
      return opened.is === "forged" ? undefined : opened.invitation.until - on.world.now();
    };
    expect(await until({})).toBe(7 * day);
    expect(await until({ timeout: "2d" })).toBe(2 * day);
    expect(await until({ timeout: "2d", onTimeout: { escalate: [{ assignees: ["bo"] }] } })).toBe(7 * day);
  });

  it("is expired from that moment on", async () => {
    const { on, links } = await asked();
    const link = await links().to("r", "/p/ask", { expires: "1h" });
    await on.wait(3_599_000);
    expect(await links().read(tokenIn(link))).toMatchObject({ is: "valid" });
    await on.wait(1_000);
    expect(await links().read(tokenIn(link))).toMatchObject({ is: "expired", invitation: { runId: "r" } });
  });

  it.each([
    ["the question of another run", { runId: "gone" }, "unknown-run"],
    ["what nobody is asked", { path: "/p/other" }, "signal-refused"],
    ["longer than 90 days", { expires: "91d" }, "invalid-option"],
    ["no time at all", { expires: "0s" }, "invalid-option"],
    ["an empty name", { by: "" }, "invalid-option"],
  ] as const)("is not made for %s", async (_, change, code) => {
    const { links } = await asked();
    const { runId, path, ...options } = { runId: "r", path: "/p/ask", ...change };
    await expect(links().to(runId, path, options)).rejects.toMatchObject({ code });
  });

  it("is not made for an event, an answered question, or without an address", async () => {
    const { on, made, links } = await asked();
    await expect(links({ publicUrl: undefined }).to("r", "/p/ask")).rejects.toMatchObject({
      code: "invalid-option",
      hint: expect.stringContaining("publicUrl"),
    });
    const { runner } = on.cast(made, { takeOver: false });
    await on.play(runner.signal("r", "/p/ask", { approved: true }, { by: "ana" }));
    await on.play(runner.resume("r").result());
    await expect(links().to("r", "/p/ask")).rejects.toMatchObject({ because: "answered" });
    const more = pipeline(
      "q",
      mapOver("m", humanInTheLoop("ask", { prompt: () => "?" })).to(waitFor("event")),
    );
    const other = on.cast(more, { takeOver: false });
    await other.run(["a", "b"], { runId: "q" });
    await on.play(other.runner.signal("q", "/q/m[0]/ask", { approved: true }, { by: "ana" }));
    await on.play(other.runner.resume("q").result());
    await expect(links().to("q", "/q/m[0]/ask")).rejects.toMatchObject({
      message: expect.stringContaining("ana gave it"),
    });
    await on.play(other.runner.signal("q", "/q/m[1]/ask", { approved: true }));
    await on.play(other.runner.resume("q").result());
    await expect(links().to("q", "/q/event")).rejects.toMatchObject({ because: "unasked" });
  });

  it("is forged when a character, the secret, or the kind of token is another", async () => {
    const { on, links } = await asked();
    const token = tokenIn(await links({ secret: young }).to("r", "/p/ask"));
    const [head = "", claims = "", seal = ""] = token.split(".");
    const read = async (text: string) => (await links({ secret: young }).read(text)).is;
    expect(await read(token)).toBe("valid");
    const other = JSON.parse(Buffer.from(claims, "base64url").toString()) as object;
    const changed = Buffer.from(JSON.stringify({ ...other, run: "another" })).toString("base64url");
    const bare = Buffer.from(JSON.stringify({ alg: "none", typ: "flujo-answer" })).toString("base64url");
    const kindless = await new SignJWT({ ...other })
      .setProtectedHeader({ alg: "HS256" })
      .setExpirationTime(Math.floor(on.world.now() / 1_000) + 60)
      .sign(new TextEncoder().encode(young));
    for (const forged of [
      `${head}.${changed}.${seal}`,
      `${bare}.${claims}.`,
      kindless,
      token.slice(0, -4),
      "",
      "x.y.z",
      tokenIn(await links({ secret: old }).to("r", "/p/ask")),
    ])
      expect(await read(forged)).toBe("forged");
  });
});

describe("the secret", () => {
  it("is changed without a gap: the first of several signs, and links of all are taken", async () => {
    const { links } = await asked();
    const before = tokenIn(await links({ secret: old }).to("r", "/p/ask"));
    const during = links({ secret: [young, old] });
    const after = tokenIn(await during.to("r", "/p/ask"));
    expect((await during.read(before)).is).toBe("valid");
    expect((await links({ secret: young }).read(after)).is).toBe("valid");
    expect((await links({ secret: young }).read(before)).is).toBe("forged");
  });

  it("is the store's own when nobody gives one: the same for all processes, also when they begin at once", async () => {
    const { links } = await asked();
    const makers = Array.from({ length: 5 }, () => links());
    const made = await Promise.all(makers.map((maker) => maker.to("r", "/p/ask")));
    for (const link of made) expect((await links().read(tokenIn(link))).is).toBe("valid");
    expect(new Set(made).size).toBe(1);
  });

  it.each([["short"], [[]], [[young, "short"]]])("is refused when it can be guessed: %j", async (secret) => {
    const { links } = await asked();
    expect(() => links({ secret })).toThrow(/less than 32 characters/);
  });
});

describe("the links of an event", () => {
  it("are those of a question to a person: with yes and no where it is an approval", async () => {
    const on = scene();
    const made = pipeline(
      "p",
      step("begin", () => 1)
        .to(
          humanInTheLoop("ask", {
            prompt: () => "?",
            timeout: "1d",
            onTimeout: { escalate: [{ assignees: ["bo"] }] },
          }),
        )
        .to(waitFor("event")),
    );
    const { run, runner } = on.cast(made, { takeOver: false });
    await run(undefined, { runId: "r" });
    await on.wait(day);
    await on.play(runner.resume("r").result());
    await on.play(runner.signal("r", "/p/ask", { approved: true }));
    await on.play(runner.resume("r").result());
    const links = new AnswerLinks({ store: on.store, world: on.world, publicUrl });
    const found = new Map<string, string[]>();
    for (const entry of await on.journal("r")) {
      const made = await links.forEvent("r", eventOf(entry));
      const name = "path" in entry ? `${entry.type} ${entry.path}` : entry.type;
      if (made !== undefined) found.set(name, Object.keys(made));
    }
    expect(Object.fromEntries(found)).toEqual({
      "signal-awaited /p/ask": ["answer", "approve", "reject"],
      "signal-escalated /p/ask": ["answer"],
    });
    const nowhere = new AnswerLinks({ store: on.store, world: on.world });
    for (const entry of await on.journal("r"))
      expect(await nowhere.forEvent("r", eventOf(entry))).toBeUndefined();
  });
});
