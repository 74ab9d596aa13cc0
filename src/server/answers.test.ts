import { afterEach, describe, expect, test } from "vitest";
import * as z from "zod";
import { loopUntil, pipeline, step } from "../core/compose.ts";
import { humanInTheLoop } from "../core/pauses.ts";
import type { Step } from "../core/step.ts";
import { Runner } from "../engine/runner.ts";
import { type AnswerLinkOptions, AnswerLinks } from "../links/answer-links.ts";
import { nodeWorld } from "../node-world.ts";
import { memory } from "../stores/memory.ts";
import { answers } from "./answers.ts";
import { serverApp } from "./app.ts";
import { type Listening, listen } from "./listen.ts";

const open: Listening[] = [];
afterEach(async () => {
  for (const server of open.splice(0)) await server.close(0);
});

/** A server with tokens, a run that asks, and a clock that can be put forward. */
async function asked<In, Out>(made: Step<In, Out>, input: In, options: { readonly served?: boolean } = {}) {
  const store = memory();
  let ahead = 0;
  const world = { ...nodeWorld(), now: () => Date.now() + ahead };
  const flujo = new Runner(made, { store, world, takeOver: false });
  await flujo.run(input, { runId: "r" });
  const links = new AnswerLinks({ store, world, publicUrl: "http://public.example" });
  const pipelines =
    (options.served ?? true) ? [{ step: made, flujo: flujo as Runner<unknown, unknown> }] : [];
  const token = { name: "eyes", role: "viewer", token: "a-token-of-some-length" } as const;
  const app = serverApp({
    ...{ store, world, options: { port: 0, tokens: [token] }, pipelines },
    mounts: [{ at: "/answer", app: answers({ store, world, links, pipelines }) }],
  });
  const server = await listen(app);
  open.push(server);
  const here = (link: string): string => link.replace("http://public.example", server.url);
  const linkTo = async (path = "/p/ask", terms: AnswerLinkOptions = {}) =>
    here(await links.to("r", path, terms));
  const journal = async () => (await store.read("r", 0, 1_000)) ?? [];
  const putForward = (ms: number): void => {
    ahead += ms;
  };
  return { store, flujo, linkTo, links, here, url: server.url, journal, putForward };
}

const look = async (link: string, method = "GET") => {
  const response = await fetch(link, { method });
  return { status: response.status, headers: response.headers, text: await response.text() };
};
const send = async (link: string, form: Record<string, string>) => {
  const response = await fetch(link, { method: "POST", body: new URLSearchParams(form) });
  return { status: response.status, text: await response.text() };
};
const yes = { approved: "true" };
const ask = (terms: object = {}) =>
  pipeline("p", humanInTheLoop("ask", { prompt: (text: string) => `Is ${text} right?`, ...terms }));

describe("an answer link", () => {
  test("shows what is asked, of whom, since when, and what helps to decide; without a token", async () => {
    const { linkTo } = await asked(
      ask({ assignees: ["ana"], timeout: "2d", context: (text: string) => ({ item: text, stock: 3 }) }),
      "the door",
    );
    const { status, text } = await look(await linkTo());
    expect(status).toBe(200);
    for (const part of [
      "Is the door right?",
      "p asks ana",
      "<dt>item</dt><dd>the door</dd>",
      ">3<",
      "/p/ask",
      "Waits until",
    ])
      expect(text).toContain(part);
    expect(text).toMatch(/<button name="approved" value="true">Approve/);
  });

  test("answers when its form is sent, and the run goes on", async () => {
    const { linkTo, flujo, journal } = await asked(ask(), "it");
    const link = await linkTo("/p/ask", { by: "ana" });
    expect(await send(link, { ...yes, note: "fine" })).toMatchObject({
      status: 200,
      text: expect.stringContaining("It goes on now."),
    });
    expect(await flujo.resume("r").result()).toMatchObject({ output: { approved: true, note: "fine" } });
    expect((await journal()).find(({ type }) => type === "signal-received")).toMatchObject({ by: "ana" });
  });

  test("changes nothing when it is only looked at, however often and by whomever", async () => {
    const { linkTo, store, journal } = await asked(ask(), "it");
    const before = await journal();
    const approve = await linkTo("/p/ask", { answer: { approved: true } });
    for (const link of [await linkTo(), approve])
      for (const method of ["GET", "HEAD", "OPTIONS", "GET"]) await look(link, method);
    expect([await journal(), await store.signals("r")]).toEqual([before, []]);
    expect((await send(approve, {})).status).toBe(200);
  });

  test("takes one answer of two that are sent at once, and tells the other who was faster", async () => {
    const { linkTo, flujo, store } = await asked(ask(), "it", { served: false });
    const [ana, bo] = [await linkTo("/p/ask", { by: "ana" }), await linkTo("/p/ask", { by: "bo" })];
    const sent = await Promise.all([send(ana, yes), send(bo, { approved: "false" })]);
    expect(sent.map(({ status }) => status).sort()).toEqual([200, 409]);
    const winner = sent[0]?.status === 200 ? "ana" : "bo";
    const told = sent.find(({ status }) => status === 409);
    expect(told?.text).toContain(`has its answer already: ${winner} gave it at`);
    expect(await flujo.resume("r").result()).toMatchObject({ output: { approved: winner === "ana" } });
    expect(await store.signals("r")).not.toEqual([]);
  });

  test("works once: used again it says who has answered, before and after the run went on", async () => {
    const { linkTo, flujo } = await asked(ask(), "it", { served: false });
    const link = await linkTo();
    await send(link, yes);
    const again = { status: 409, text: expect.stringContaining("a link gave it at") };
    expect([await send(link, yes), await look(link)]).toMatchObject([again, again]);
    await flujo.resume("r").result();
    expect([await send(link, yes), await look(link)]).toMatchObject([again, again]);
  });

  test("of a run that was cancelled says so", async () => {
    const { linkTo, flujo } = await asked(ask(), "it");
    const link = await linkTo();
    await flujo.cancel("r");
    const told = { status: 410, text: expect.stringContaining("has ended: it is cancelled") };
    expect([await look(link), await send(link, yes)]).toMatchObject([told, told]);
  });

  test("that carries an answer has it confirmed, whatever else is sent", async () => {
    const { linkTo, flujo } = await asked(ask(), "it");
    const link = await linkTo("/p/ask", { answer: { approved: false, note: "by mail" } });
    expect((await look(link)).text).toMatch(/<button>Reject<\/button>/);
    await send(link, yes);
    expect(await flujo.resume("r").result()).toMatchObject({ output: { approved: false, note: "by mail" } });
  });

  test("for an older asking of its path is dead; the new one's works", async () => {
    const terms = { timeout: "1h", onTimeout: { escalate: [{ assignees: ["bo"], timeout: "1h" }] } } as const;
    const asking = humanInTheLoop("ask", { prompt: () => "?", ...terms });
    const made = pipeline("p", asking.retry({ attempts: 2, backoff: "0ms" }));
    const { linkTo, flujo, putForward } = await asked(made, "it");
    const older = await linkTo();
    for (let hour = 0; hour < 2; hour++) {
      putForward(3_600_000);
      await flujo.resume("r").result(); // others are asked, then it is asked anew
    }
    const newer = await linkTo();
    const dead = { status: 409, text: expect.stringContaining("was asked anew since then") };
    expect([await look(older), await send(older, yes)]).toMatchObject([dead, dead]);
    expect((await send(newer, yes)).status).toBe(200);
  });

  test("for one turn of a loop answers no other", async () => {
    const each = humanInTheLoop("ask", { prompt: () => "?" }).to("same", ({ approved }) => approved);
    const made = pipeline("p", loopUntil("l", each, { until: (ok) => ok, maxLoops: 3 }));
    const { linkTo, flujo } = await asked(made, true, { served: false });
    const first = await linkTo("/p/l[0]/ask");
    await send(first, { approved: "false" });
    expect(await flujo.resume("r").result()).toMatchObject({ signals: ["/p/l[1]/ask"] });
    expect(await send(first, yes)).toMatchObject({
      status: 409,
      text: expect.stringContaining("has its answer already"),
    });
    expect(await flujo.resume("r").result()).toMatchObject({ signals: ["/p/l[1]/ask"] });
  });

  test("that is forged, tampered with, another store's, or expired is told apart from one that works", async () => {
    const { linkTo, url, putForward } = await asked(ask(), "it");
    const other = await asked(ask(), "it");
    const stranger = (await other.linkTo()).replace(other.url, url);
    const link = await linkTo();
    const swapped = link.replace(
      /\/answer\/([\w-]+)\.([\w-]+)/,
      (_, head: string, claims: string) => `/answer/${head}.${claims.slice(0, -2)}AA`,
    );
    for (const bad of [stranger, swapped, `${url}/answer/x`, `${link}x`]) {
      expect([(await look(bad)).status, (await send(bad, yes)).status]).toEqual([403, 403]);
    }
    putForward(8 * 86_400_000);
    expect([(await look(link)).status, (await send(link, yes)).status]).toEqual([410, 410]);
  });

  test("of a run that is not there says so", async () => {
    const { links, here } = await asked(ask(), "it");
    const elsewhere = await asked(ask(), "it");
    const made = await links.to("r", "/p/ask");
    const lost = new AnswerLinks({ store: memory(), world: nodeWorld(), publicUrl: "http://public.example" });
    expect((await lost.read(made.slice(made.lastIndexOf("/") + 1))).is).toBe("forged");
    const shared = "one-secret-of-two-stores-with-32-characters";
    const app = answers({
      ...{ store: memory(), world: nodeWorld() },
      links: new AnswerLinks({ store: memory(), world: nodeWorld(), secret: shared }),
    });
    const foreign = new AnswerLinks({
      ...{ store: elsewhere.store, world: nodeWorld(), secret: shared, publicUrl: "http://public.example" },
    });
    const path = new URL(await foreign.to("r", "/p/ask")).pathname.replace("/answer", "");
    expect((await app.request(path)).status).toBe(410);
    expect(here(made)).toContain("127.0.0.1");
  });
});

describe("a question that is no approval", () => {
  const Colour = z.object({
    colour: z.enum(["red", "blue"]).describe("of the door"),
    coats: z.int(),
    gloss: z.boolean().optional(),
    remark: z.string().optional(),
  });

  test("has a form made of its schema; what does not fit is shown again, and can be put right", async () => {
    const { linkTo, flujo } = await asked(ask({ answer: Colour }), "it");
    const link = await linkTo();
    const { text } = await look(link);
    expect(text.match(/<label for="f\d">[^<]*/g)).toEqual([
      '<label for="f0">colour',
      '<label for="f1">coats',
      '<label for="f2">gloss (optional)',
      '<label for="f3">remark (optional)',
    ]);
    expect(text).toContain("of the door");
    const wrong = await send(link, { f0: "1", f1: "two", f2: "", f3: "<b>" });
    expect(wrong.status).toBe(422);
    expect(wrong.text).toMatch(/role="alert">[^<]*coats/);
    expect(wrong.text).toContain('value="two"');
    expect(wrong.text).toContain("&lt;b&gt;");
    expect(wrong.text).toContain('<option value="1" selected>blue');
    expect((await send(link, { f0: "1", f1: "2", f2: "0", f3: "" })).status).toBe(200);
    expect(await flujo.resume("r").result()).toMatchObject({
      output: { colour: "blue", coats: 2, gloss: true },
    });
  });

  test("takes JSON where no simple form fits", async () => {
    const { linkTo, flujo } = await asked(ask({ answer: z.array(z.number()) }), "it");
    const link = await linkTo();
    expect((await look(link)).text).toContain('<textarea id="json"');
    expect(await send(link, { json: "[1," })).toMatchObject({
      status: 422,
      text: expect.stringContaining("[1,"),
    });
    expect((await send(link, { json: '["a"]' })).status).toBe(422);
    expect((await send(link, { json: "[1]" })).status).toBe(200);
    expect(await flujo.resume("r").result()).toMatchObject({ output: [1] });
  });

  test("is not taken where its pipeline is not served, since nobody can tell what fits", async () => {
    const { linkTo, store } = await asked(ask({ answer: Colour }), "it", { served: false });
    const answer = { f0: "1", f1: "2" };
    expect(await send(await linkTo(), answer)).toMatchObject({
      status: 409,
      text: expect.stringContaining("without its pipeline"),
    });
    expect(await store.signals("r")).toEqual([]);
  });
});

describe("what others wrote", () => {
  const evil = `</title><script>alert(1)</script><img src=x onerror="alert(2)">'"&`;

  test("shows as the text it is", async () => {
    const made = pipeline(
      `p ${evil.replaceAll("/", "")}`,
      step("begin", () => evil).to(
        humanInTheLoop("ask", {
          prompt: (text) => text,
          context: (text) => ({ [text]: [text] }),
          assignees: [evil],
          answer: z.object({
            [evil]: z.enum([evil, "b"]).describe(evil),
            more: z.string().meta({ title: evil }),
          }),
        }),
      ),
    );
    const { linkTo, flujo } = await asked(made, undefined);
    const [path = ""] = await flujo
      .resume("r")
      .result()
      .then((end) => ("signals" in end ? end.signals : []));
    const link = await linkTo(path);
    for (const { text } of [await look(link), await send(link, { f0: "", f1: evil })]) {
      expect(text).not.toMatch(/<script|<img|onerror="/);
      expect(text).toContain("&lt;script&gt;alert(1)&lt;/script&gt;");
      expect(text.match(/<title>.*<\/title>/)?.[0]).toBe("<title>A question · Flujo</title>");
    }
  });

  test("cannot run, be framed, kept or told to others", async () => {
    const { linkTo, url } = await asked(ask(), "it");
    for (const link of [await linkTo(), `${url}/answer/forged`]) {
      const { headers } = await look(link);
      expect(headers.get("content-security-policy")).toMatch(/default-src 'none'.*frame-ancestors 'none'/);
      expect(headers.get("content-security-policy")).not.toContain("unsafe-inline");
      expect(headers.get("cache-control")).toBe("no-store");
      expect(headers.get("referrer-policy")).toBe("no-referrer");
      expect(headers.get("x-robots-tag")).toContain("noindex");
      expect(headers.get("x-content-type-options")).toBe("nosniff");
    }
    const style = await look(`${url}/answer/style.css`);
    expect([style.status, style.headers.get("content-type")]).toEqual([200, "text/css; charset=utf-8"]);
  });
});
