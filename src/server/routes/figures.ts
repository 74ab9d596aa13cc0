import { setImmediate } from "node:timers/promises";
import Type from "typebox";
import { costs, costsOfRun } from "../../lens/costs.ts";
import type { Selection } from "../../lens/every-run.ts";
import { stats } from "../../lens/stats.ts";
import { diffVersions, type VersionView, versions } from "../../lens/versions.ts";
import { Costs, Stats, VersionDiff, VersionList } from "../figure-schemas.ts";
import { type House, journalOf } from "../house.ts";
import { Refusal } from "../letter.ts";
import { type Route, route } from "../route.ts";
import { RunParams } from "./run.ts";
import { momentIn } from "./runs.ts";

/** So many of the newest runs are read for figures unless more are asked for; of more a command is asked. */
const usualRuns = 1_000;
const mostRuns = 10_000;

const selecting = {
  pipeline: Type.Optional(Type.String({ description: "Only runs of this pipeline." })),
  createdFrom: Type.Optional(
    Type.String({ format: "date-time", description: "Only runs made then or later." }),
  ),
  createdBefore: Type.Optional(Type.String({ format: "date-time", description: "Only runs made before." })),
  newest: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: mostRuns,
      description: `Only so many of them, the newest. Default ${usualRuns}.`,
    }),
  ),
};
const timeZone = Type.Optional(Type.String({ maxLength: 100, description: "Whose days. Default UTC." }));
const SelectionQuery = Type.Object(selecting, { additionalProperties: false });
const DaysQuery = Type.Object({ ...selecting, timeZone }, { additionalProperties: false });
const Fingerprint = Type.String({ pattern: "^[0-9a-f]{4,64}$", description: "Or its first characters." });

/** `GET /stats`, `/costs`, `/runs/{runId}/costs`, `/versions`, `/versions/diff` */
export const figureRoutes = (house: House): readonly Route[] => {
  const { store } = house;
  return [
    route(
      {
        method: "get",
        path: "/stats",
        name: "getStats",
        summary: "How runs go: how many end well, how long they, their steps and models take, what they cost",
        tag: "figures",
        role: "viewer",
        query: DaysQuery,
        answers: { 200: { says: "Rates, times and costs.", schema: Stats } },
      },
      async ({ query, c }) => {
        const [selection, all] = await selected(house, query);
        return c.json({ ...(await stats(store, { ...selection, ...zoneIn(query) })), all });
      },
    ),

    route(
      {
        method: "get",
        path: "/costs",
        name: "getCosts",
        summary: "What runs cost: by pipeline, step, model, day and shared budget, in exact sums",
        tag: "figures",
        role: "viewer",
        query: DaysQuery,
        answers: { 200: { says: "The sums.", schema: Costs } },
      },
      async ({ query, c }) => {
        const [selection, all] = await selected(house, query);
        return c.json({ ...(await costs(store, { ...selection, ...zoneIn(query) })), all });
      },
    ),

    route(
      {
        method: "get",
        path: "/runs/{runId}/costs",
        name: "getRunCosts",
        summary: "What a run cost: by step, model, day and shared budget, in exact sums",
        tag: "figures",
        role: "viewer",
        params: RunParams,
        query: Type.Object({ timeZone }, { additionalProperties: false }),
        answers: { 200: { says: "The sums.", schema: Costs } },
        refusals: [404],
      },
      async ({ params: { runId }, query, c }) => {
        const { entries } = await journalOf(house, runId);
        return c.json({ ...(await costsOfRun(store, [...entries], zoneIn(query).timeZone)), all: true });
      },
    ),

    route(
      {
        method: "get",
        path: "/versions",
        name: "listVersions",
        summary: "The versions of pipelines that runs are of, the latest first",
        tag: "figures",
        role: "viewer",
        query: SelectionQuery,
        answers: { 200: { says: "The versions.", schema: VersionList } },
      },
      async ({ query, c }) => {
        const [selection, all] = await selected(house, query);
        return c.json({ versions: await versions(store, selection), all });
      },
    ),

    route(
      {
        method: "get",
        path: "/versions/diff",
        name: "diffVersions",
        summary: "Two versions, place by place: prompts, models, settings, and how the runs of each fared",
        tag: "figures",
        role: "viewer",
        query: Type.Object(
          { a: Fingerprint, b: Fingerprint, newest: selecting.newest },
          { additionalProperties: false },
        ),
        answers: { 200: { says: "What differs.", schema: VersionDiff } },
        refusals: [404],
      },
      async ({ query: { a, b, newest = usualRuns }, c }) => {
        const known = await versions(store, { newest });
        return c.json(
          await diffVersions(store, versionIn(known, a), versionIn(known, b), {
            newest,
            pause: setImmediate,
          }),
        );
      },
    ),
  ];
};

interface Selecting {
  readonly pipeline?: string;
  readonly createdFrom?: string;
  readonly createdBefore?: string;
  readonly newest?: number;
}

/** Which runs are read, and whether those are all that fit. @throws Refusal */
async function selected(
  { store }: House,
  { pipeline, createdFrom, createdBefore, newest = usualRuns }: Selecting,
): Promise<readonly [Selection, all: boolean]> {
  const filter = {
    ...(pipeline === undefined ? {} : { pipeline }),
    ...(createdFrom === undefined ? {} : { createdFrom: momentIn(createdFrom) }),
    ...(createdBefore === undefined ? {} : { createdBefore: momentIn(createdBefore) }),
  };
  const some = await store.list({ ...filter, limit: newest + 1 });
  return [{ ...filter, newest, pause: setImmediate }, some.length <= newest];
}

/** @throws Refusal */
function zoneIn({ timeZone = "UTC" }: { readonly timeZone?: string }): { readonly timeZone: string } {
  try {
    new Intl.DateTimeFormat("en", { timeZone });
    return { timeZone };
  } catch {
    const message = `${JSON.stringify(timeZone)} is no time zone`;
    throw new Refusal(400, "invalid-request", message, "Write Europe/Vienna, or UTC.");
  }
}

/** @throws Refusal */
function versionIn(known: readonly VersionView[], name: string): VersionView {
  const found = known.filter(({ fingerprint }) => fingerprint.startsWith(name));
  const [version] = found;
  if (version !== undefined && found.length === 1) return version;
  const message =
    version === undefined ? `no run is of a version ${name}` : `several versions begin with ${name}`;
  throw new Refusal(404, "unknown-version", message, "GET /api/v1/versions lists them.");
}
