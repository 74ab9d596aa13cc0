import Type from "typebox";
import type { Manifest } from "../../core/fingerprint.ts";
import { Values } from "../../core/resolve.ts";
import { callsOf } from "../../lens/calls.ts";
import { graphJson } from "../../lens/graph.ts";
import type { OpenJournal } from "../../lens/journals.ts";
import { listingOf, runLine } from "../../lens/list.ts";
import { operationLine, operationView, runView } from "../../lens/show.ts";
import { stateStory } from "../../lens/state-story.ts";
import { operationDetail } from "../../lens/trace.ts";
import { type House, journalOf, serviceOf } from "../house.ts";
import { Refusal } from "../letter.ts";
import { Operation, OperationPage, StateStory, Tree } from "../operation-schemas.ts";
import { Graph } from "../pipeline-schemas.ts";
import { type Route, route } from "../route.ts";
import { EntryPage, RunDetail } from "../run-schemas.ts";
import { RunId, RunPath } from "../schemas.ts";

export const RunParams = Type.Object({ runId: RunId }, { additionalProperties: false });

export const Whole = Type.Optional(
  Type.Boolean({
    description: "Values of more than 100,000 characters, too. Default: those are shown by their size.",
  }),
);
export const pageFrom = Type.Optional(
  Type.Integer({ minimum: 0, description: "The first one wanted, from 0." }),
);
export const limited = (most: number, usual: number) =>
  Type.Optional(Type.Integer({ minimum: 1, maximum: most, description: `Default ${usual}.` }));

/** Values of more characters are shown by their size unless all is asked for. */
const mostShown = 100_000;

/** `GET /runs/{runId}` and what there is of a run. */
export const runRoutes = (house: House): readonly Route[] => [
  route(
    {
      method: "get",
      path: "/runs/{runId}",
      name: "getRun",
      summary: "A run: how it stands, what it has cost, its input and output",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      query: Type.Object({ whole: Whole }, { additionalProperties: false }),
      answers: { 200: { says: "The run.", schema: RunDetail } },
      refusals: [404],
    },
    async ({ params: { runId }, query: { whole = false }, c }) => {
      const journal = await journalOf(house, runId);
      const { run } = journal;
      const { next } = run; // with what the view begins with: the record may go on while values are fetched
      const operations = journal.size;
      const view = await runView(runId, run, journal.spending, valuesOf(house, journal, whole));
      const listing = await listingOf(house.store, runId, run.created?.at ?? 0);
      return c.json({
        run: view,
        advancedBy: listing === undefined ? null : runLine(listing, house.world.now()).advancedBy,
        served: serviceOf(house, journal) !== undefined,
        operations,
        next,
      });
    },
  ),

  route(
    {
      method: "get",
      path: "/runs/{runId}/operations",
      name: "listOperations",
      summary: "What a run has done, outer operations first, without their values, page by page",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      query: Type.Object({ from: pageFrom, limit: limited(10_000, 1_000) }, { additionalProperties: false }),
      answers: { 200: { says: "A page of operations.", schema: OperationPage } },
      refusals: [404],
    },
    async ({ params: { runId }, query: { from = 0, limit = 1_000 }, c }) => {
      const all = [...(await journalOf(house, runId)).operations().values()];
      const operations = all.slice(from, from + limit).map(operationLine);
      const next = from + operations.length < all.length ? from + operations.length : null;
      return c.json({ operations, total: all.length, next });
    },
  ),

  route(
    {
      method: "get",
      path: "/runs/{runId}/tree",
      name: "getTree",
      summary: "What a run has done, as a tree: the rows right below some paths, page by page",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      query: Type.Object(
        {
          at: Type.Optional(
            Type.Array(Type.String({ pattern: "^\\d{1,9}:", maxLength: 4_000 }), {
              maxItems: 100,
              description:
                "Where each page begins: the number of its first row, a colon, the path the rows are below. Default `0:`, the top.",
            }),
          ),
          limit: limited(1_000, 200),
        },
        { additionalProperties: false },
      ),
      answers: { 200: { says: "The pages, in the order asked for.", schema: Tree } },
      refusals: [404],
    },
    async ({ params: { runId }, query: { at = ["0:"], limit = 200 }, c }) => {
      const journal = await journalOf(house, runId);
      const { run, entries } = journal;
      const pages = at.map((text) => {
        const colon = text.indexOf(":");
        return journal.treePage(text.slice(colon + 1), Number(text.slice(0, colon)), limit);
      });
      const began = run.created?.at ?? run.updatedAt;
      return c.json({ next: entries.length, began, ended: run.updatedAt, pauses: journal.pauses, pages });
    },
  ),

  route(
    {
      method: "get",
      path: "/runs/{runId}/operation",
      name: "getOperation",
      summary:
        "One operation: its input, output and errors, what its model was sent and said, what it changed",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      query: Type.Object({ path: RunPath, whole: Whole }, { additionalProperties: false }),
      answers: { 200: { says: "The operation.", schema: Operation } },
      refusals: [404],
    },
    async ({ params: { runId }, query: { path, whole = false }, c }) => {
      const journal = await journalOf(house, runId);
      const operation = journal.operations().get(path);
      if (operation === undefined) {
        throw new Refusal(
          404,
          "unknown-operation",
          `nothing is recorded in run ${runId} at ${path}`,
          `GET /api/v1/runs/${runId}/operations lists the paths; one in a URL is percent-encoded.`,
        );
      }
      const values = valuesOf(house, journal, whole);
      const calls = callsOf(journal.entries, journal.run).filter((call) => call.path === path);
      return c.json(
        await operationDetail(await operationView(operation, values), calls, journal.run, values),
      );
    },
  ),

  route(
    {
      method: "get",
      path: "/runs/{runId}/entries",
      name: "listEntries",
      summary: "The journal of a run, as it is recorded, page by page",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      query: Type.Object({ from: pageFrom, limit: limited(10_000, 1_000) }, { additionalProperties: false }),
      answers: { 200: { says: "A page of entries.", schema: EntryPage } },
      refusals: [404],
    },
    async ({ params: { runId }, query: { from = 0, limit = 1_000 }, c }) => {
      const entries = await house.store.read(runId, from, limit);
      if (entries === undefined) await journalOf(house, runId); // says what is wrong
      const last = entries === undefined || entries.length < limit ? undefined : entries.at(-1);
      return c.json({ entries, next: last === undefined ? null : last.seq + 1 });
    },
  ),

  route(
    {
      method: "get",
      path: "/runs/{runId}/state",
      name: "getState",
      summary: "The state a run began with, and the steps that have changed it, page by page",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      query: Type.Object({ from: pageFrom, limit: limited(1_000, 100) }, { additionalProperties: false }),
      answers: { 200: { says: "The changes, in the order they were recorded.", schema: StateStory } },
      refusals: [404],
    },
    async ({ params: { runId }, query: { from = 0, limit = 100 }, c }) =>
      c.json(stateStory((await journalOf(house, runId)).entries, from, limit)),
  ),

  route(
    {
      method: "get",
      path: "/runs/{runId}/graph",
      name: "getRunGraph",
      summary: "The places of a run's pipeline, and how far each is",
      tag: "runs",
      role: "viewer",
      params: RunParams,
      answers: { 200: { says: "The places.", schema: Graph } },
      refusals: [404],
    },
    async ({ params: { runId }, c }) => {
      const journal = await journalOf(house, runId);
      const service = serviceOf(house, journal);
      return c.json({
        graph: service === undefined ? null : graphJson(service.root.node),
        current: service?.fingerprint === journal.run.fingerprint,
        places: journal.places(await manifestOf(house, journal)),
      });
    },
  ),
];

export function valuesOf({ store }: House, { entries }: OpenJournal, whole: boolean): Values {
  return new Values(entries, async ({ hash, size }) =>
    whole || size <= mostShown ? store.blob(hash) : undefined,
  );
}

async function manifestOf({ store }: House, { run }: OpenJournal): Promise<Manifest> {
  const text = await store.blob(run.manifest);
  return text === undefined ? [] : (JSON.parse(text) as Manifest); // as the engine wrote it
}
