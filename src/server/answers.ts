/** Where answer links lead. Looking changes nothing, for scanners of mail and previews look, too; a form that is sent answers. */
import { type Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import { FlujoError, RunEndedError, SignalRefusedError, UnknownRunError } from "../core/errors.ts";
import { nodeOf } from "../core/step.ts";
import { load } from "../engine/load.ts";
import { answeredBefore, openQuestion } from "../engine/open-question.ts";
import { rootOf } from "../engine/root.ts";
import { sendSignal } from "../engine/signals.ts";
import { inboxItem } from "../lens/inbox.ts";
import type { AnswerLinks } from "../links/answer-links.ts";
import type { Invitation } from "../links/invitation.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { answerIn, type Filled, type Form, formFor } from "./answer-form.ts";
import { notice, type QuestionView, question, style } from "./answer-page.ts";
import type { Running, Served } from "./parts.ts";

export interface AnswersParts {
  readonly store: Store;
  readonly world: World;
  readonly links: AnswerLinks;
  /** Whose runs go on at once when they are answered. Of others only approvals are taken. Default: none. */
  readonly pipelines?: readonly Served[];
}

/** Who has answered, where the link does not say. */
const somebody = "a link";

/** The pages behind answer links: mount them at `/answer`. Whoever has a link needs no token. */
export function answers(parts: AnswersParts): Hono {
  const { links, pipelines = [] } = parts;
  const running = new Map(
    pipelines.map(({ step, flujo }) => [
      rootOf(nodeOf(step, "what the server was given to serve")).pipeline.name,
      flujo,
    ]),
  );
  const app = new Hono();

  app.use(async (c, next) => {
    await next();
    for (const [name, value] of headers) c.res.headers.set(name, value);
  });
  app.get("/style.css", (c) => c.body(style, 200, { "content-type": "text/css; charset=utf-8" }));
  app.get("/:token", (c) =>
    invited(c, links, async (invitation) => c.html(question(await viewFor(parts, invitation)))),
  );
  app.post("/:token", (c) =>
    invited(c, links, async (invitation) => {
      const view = await viewFor(parts, invitation);
      const filled = await filledIn(c);
      const read = answerIn(view.form, filled);
      const again = (wrong: string) => c.html(question({ ...view, filled, wrong }), 422);
      if ("wrong" in read) return again(read.wrong);
      const flujo = running.get(view.item.pipeline);
      try {
        await send(parts, flujo, invitation, read.answer);
      } catch (error) {
        if (error instanceof SignalRefusedError && error.because === "unfit") return again(error.message);
        throw error;
      }
      const next = flujo === undefined ? "It goes on when it is resumed." : "It goes on now.";
      return c.html(notice("Thank you", `The run has your answer. ${next}`));
    }),
  );
  return app;
}

/** Nothing here is kept by caches, told to other sites, put into frames, or run as a script. */
const headers: readonly (readonly [name: string, value: string])[] = [
  ["cache-control", "no-store"],
  ["referrer-policy", "no-referrer"],
  ["x-content-type-options", "nosniff"],
  ["x-robots-tag", "noindex, nofollow"],
  [
    "content-security-policy",
    "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
  ],
];

/** Lets in whoever has an invitation that holds, and tells others why theirs does not. */
async function invited(
  c: Context,
  links: AnswerLinks,
  welcome: (invitation: Invitation) => Promise<Response>,
): Promise<Response> {
  const opened = await links.read(c.req.param("token") ?? "");
  if (opened.is === "forged")
    return c.html(notice("This link does not work", "It is not whole, or was not made here."), 403);
  if (opened.is === "expired") return c.html(notice("This link has ended", "Ask for another one."), 410);
  try {
    return await welcome(opened.invitation);
  } catch (error) {
    const status = refusalOf(error);
    if (status === undefined || !FlujoError.isInstance(error)) throw error;
    return c.html(notice("No answer is needed here now", `${error.message}.`, error.hint), status);
  }
}

function refusalOf(error: unknown): ContentfulStatusCode | undefined {
  if (error instanceof SignalRefusedError) return 409;
  return error instanceof RunEndedError || error instanceof UnknownRunError ? 410 : undefined;
}

/** @throws UnknownRunError, RunEndedError; SignalRefusedError for a question that is open no more. */
async function viewFor({ store, world }: AnswersParts, invitation: Invitation): Promise<QuestionView> {
  const { runId, path, until } = invitation;
  const run = await load(store, runId);
  openQuestion(run, invitation, world.now());
  const item = await inboxItem(runId, run, path, await store.signals(runId));
  if (item.answered !== null) {
    const { by, at } = item.answered;
    throw answeredBefore(runId, path, { at: Date.parse(at), by: by ?? undefined, late: false });
  }
  return { item, form: formOf(invitation, item), until: new Date(until).toISOString() };
}

function formOf({ answer }: Invitation, { asks, schema }: QuestionView["item"]): Form {
  if (answer !== undefined) return { kind: "confirm", answer: answer.value };
  return asks === "approval" ? { kind: "approval" } : formFor(schema);
}

/** The texts of a form; files are none. */
async function filledIn(c: Context): Promise<Filled> {
  const body = await c.req.parseBody();
  return Object.fromEntries(
    Object.entries(body).flatMap(([name, value]) => (typeof value === "string" ? [[name, value]] : [])),
  );
}

async function send(
  { store, world }: AnswersParts,
  flujo: Running | undefined,
  { runId, path, of, by = somebody }: Invitation,
  answer: unknown,
): Promise<void> {
  if (flujo === undefined)
    await sendSignal({ store, world, tree: undefined }, runId, path, answer, { by, of });
  else await flujo.signal(runId, path, answer, { by, of, resume: true });
}
