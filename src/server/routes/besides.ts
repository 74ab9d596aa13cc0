import Type from "typebox";
import { emptyRecord } from "../../core/run-record.ts";
import { deadLetters, dropLetter, type StandingLetter } from "../../events/dead-letter.ts";
import { undeliveredIn } from "../../events/undelivered.ts";
import { accountView } from "../../lens/accounts.ts";
import { inbox } from "../../lens/inbox.ts";
import { Budgets, CallerView, Dropped, Inbox, Resent, Undelivered } from "../besides-schemas.ts";
import type { House } from "../house.ts";
import { Refusal } from "../letter.ts";
import { type Route, route } from "../route.ts";

const LetterParams = Type.Object(
  { id: Type.String({ minLength: 1, maxLength: 200 }) },
  { additionalProperties: false },
);

/** What stands beside the runs: `GET /caller`, `GET /inbox`, `GET /budgets`, `GET /outbox`, `POST /outbox/{id}/resend`, `/drop` */
export const besidesRoutes = (house: House): readonly Route[] => [
  route(
    {
      method: "get",
      path: "/caller",
      name: "getCaller",
      summary: "Who you are here, by your token, and what you may do",
      tag: "api",
      role: "viewer",
      answers: { 200: { says: "You.", schema: CallerView } },
    },
    async ({ caller: { name = null, role }, c }) => c.json({ name, role }),
  ),

  route(
    {
      method: "get",
      path: "/inbox",
      name: "getInbox",
      summary: "What waits for whom, those first that have waited longest",
      tag: "inbox",
      role: "viewer",
      query: Type.Object(
        {
          for: Type.Optional(
            Type.String({
              maxLength: 200,
              description: "Only what this person or team is asked, or anybody is.",
            }),
          ),
        },
        { additionalProperties: false },
      ),
      answers: { 200: { says: "What waits.", schema: Inbox } },
    },
    async ({ query, c }) => {
      const { store, journals, silent } = house;
      const recordOf = async (runId: string) => (await journals.of(runId))?.run ?? emptyRecord();
      return c.json(await inbox(store, query, { recordOf, silent }));
    },
  ),

  route(
    {
      method: "get",
      path: "/budgets",
      name: "listBudgets",
      summary: "The budgets that runs share: what each may spend, has spent, and holds for which calls",
      tag: "budgets",
      role: "viewer",
      query: Type.Object(
        { scope: Type.Optional(Type.Array(Type.String(), { description: "Only these; may be repeated." })) },
        { additionalProperties: false },
      ),
      answers: { 200: { says: "The budgets, by name.", schema: Budgets } },
    },
    async ({ query: { scope }, c }) => {
      const accounts = await house.store.accounts(scope === undefined ? {} : { scopes: scope });
      return c.json({ budgets: accounts.map((account) => accountView(account, house.world.now())) });
    },
  ),

  route(
    {
      method: "get",
      path: "/outbox",
      name: "getOutbox",
      summary: "Events that sinks have not been told yet, and those they did not take",
      tag: "outbox",
      role: "viewer",
      answers: { 200: { says: "What is undelivered.", schema: Undelivered } },
    },
    async ({ c }) => c.json(await undeliveredIn(house.store)),
  ),

  route(
    {
      method: "post",
      path: "/outbox/{id}/resend",
      name: "resendLetter",
      summary: "Send a dead letter again",
      tag: "outbox",
      role: "operator",
      params: LetterParams,
      answers: { 200: { says: "What came of it.", schema: Resent } },
      refusals: [404, 501],
    },
    async ({ params: { id }, c }) => {
      if (house.outbox === undefined) {
        throw new Refusal(
          501,
          "no-sinks",
          "this server has no sinks to send to",
          "Name them in the flujo.config.ts of its folder: sinks: { ops: slack({ … }) }",
        );
      }
      const resent = await house.outbox.resend(await letterOf(house, id));
      return c.json({ id, outcome: resent.outcome, why: "why" in resent ? resent.why : null });
    },
  ),

  route(
    {
      method: "post",
      path: "/outbox/{id}/drop",
      name: "dropLetter",
      summary: "Forget a dead letter; the event stays in the journal of its run",
      tag: "outbox",
      role: "admin",
      params: LetterParams,
      answers: { 200: { says: "Whether it was still there.", schema: Dropped } },
      refusals: [404],
    },
    async ({ params: { id }, c }) =>
      c.json({ id, dropped: await dropLetter(house.store, await letterOf(house, id)) }),
  ),
];

/** @throws Refusal */
async function letterOf({ store }: House, id: string): Promise<StandingLetter> {
  for await (const letter of deadLetters(store)) if (letter.id === id) return letter;
  throw new Refusal(
    404,
    "unknown-letter",
    `there is no dead letter ${JSON.stringify(id)}`,
    "GET /api/v1/outbox lists them.",
  );
}
