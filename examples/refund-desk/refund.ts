/**
 * A customer wants money back. The desk looks the order up and has an agent say what the complaint is about; small sums are
 * paid by a rule, others when a person has said yes. What is paid is taken back when the rest cannot be done.
 */
import {
  agent,
  branchOn,
  type Duration,
  humanInTheLoop,
  parallel,
  pipeline,
  type StepContext,
  step,
  type Undo,
} from "flujo";
import * as z from "zod";
import { book, type Order, orderOf, shelve } from "./shop.ts";

const input = z.object({ order: z.string(), complaint: z.string() });
type Claim = z.infer<typeof input>;

interface Case extends Order {
  readonly gist: string;
}

/** The run's memory. */
interface Desk {
  readonly case: Case;
}

/** How long the desk may take to answer; the head of the shop has half as long again. */
const patience = (process.env.DESK_PATIENCE ?? "2d") as Duration; // a bad one is refused before anything runs

const lookUp = step("look up", ({ order }: Claim) => orderOf(order));

const sumUp = agent("sum up", {
  model: "offline:extract",
  system: "Say in one sentence what the customer complains of.",
  prompt: ({ complaint }: Claim) => complaint,
  maxOutputTokens: 60,
});

const open = step("open", (read: { order: Order; gist: string }, ctx: StepContext<Desk>): Case => {
  const opened = { ...read.order, gist: read.gist };
  ctx.set({ case: opened });
  return opened;
});

const byRule = step("by rule", (_: Case) => ({ approved: true, note: "small sums are paid at once" }));

const byPerson = humanInTheLoop("by a person", {
  prompt: ({ article, cents }: Case) => `Pay ${cents / 100} back for the ${article}?`,
  context: ({ gist }) => ({ gist }),
  assignees: ["desk"],
  timeout: patience,
  onTimeout: {
    escalate: [{ assignees: ["head"], timeout: patience }],
    finally: { answer: { approved: false, note: "nobody answered" } },
  },
});

const decide = branchOn("decide", ({ cents }: Case) => (cents <= 5_000 ? "rule" : "person"), {
  rule: byRule,
  person: byPerson,
});

const pay = step("pay", (_: unknown, { state, idempotencyKey }: StepContext<Desk>) => {
  return { booked: book(idempotencyKey, -state.case.cents), cents: state.case.cents };
}).compensate("take back", ({ output }: Undo<unknown, { booked: string; cents: number }>) =>
  book(`${output.booked}:back`, output.cents),
);

const shelveIt = step("shelve", (_: unknown, { state }: StepContext<Desk>) => shelve(state.case));

const refuse = step("refuse", ({ note }: { note?: string }) => `not paid: ${note ?? "the desk said no"}`);

export default pipeline(
  "refund",
  parallel("read", { order: lookUp, gist: sumUp })
    .to(open)
    .to(decide)
    .to(
      branchOn("settle", ({ approved }) => (approved ? "yes" : "no"), {
        yes: pay.to(shelveIt),
        no: refuse,
      }),
    ),
  { input },
);
