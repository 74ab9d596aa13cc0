import { setImmediate } from "node:timers/promises";
import Type from "typebox";
import type { Experiment } from "../../evals/experiment/results.ts";
import type { Shelf } from "../../evals/views/shelf.ts";
import {
  CasePage,
  Comparison,
  ExperimentPage,
  Experiment as ExperimentSchema,
  PairPage,
} from "../experiment-schemas.ts";
import type { House } from "../house.ts";
import { Refusal } from "../letter.ts";
import { type Route, route } from "../route.ts";
import { RunId } from "../schemas.ts";
import { placeIn } from "./runs.ts";

const closed = { additionalProperties: false };
const NameParams = Type.Object({ name: RunId }, closed);
const paging = {
  from: Type.Optional(Type.Integer({ minimum: 0, description: "Default 0." })),
  limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 1_000, description: "Default 100." })),
  tag: Type.Optional(Type.String({ description: "Only cases with this tag." })),
};
const base = Type.String({ ...RunId, description: "The earlier experiment." });

/** `GET /experiments`, `/experiments/{name}`, what was tried in it, and how it compares with another */
export const experimentRoutes = (house: House): readonly Route[] => {
  const experiments = experimentsOf(house);
  return [
    route(
      {
        method: "get",
        path: "/experiments",
        name: "listExperiments",
        summary: "Experiments (`flujo eval`) with their scores, the newest first, page by page",
        tag: "experiments",
        role: "viewer",
        query: Type.Object(
          {
            pipeline: Type.Optional(Type.String({ description: "Only those that try this pipeline." })),
            dataset: Type.Optional(Type.String({ description: "Only those on the dataset of this name." })),
            limit: Type.Optional(Type.Integer({ minimum: 1, maximum: 100, description: "Default 30." })),
            cursor: Type.Optional(Type.String({ maxLength: 200, description: "`next` of the page before." })),
          },
          closed,
        ),
        answers: {
          200: {
            says: "A page of experiments; with a filter it may hold fewer than fit.",
            schema: ExperimentPage,
          },
        },
      },
      async ({ query: { limit = 30, cursor, ...filter }, c }) => {
        const after = cursor === undefined ? {} : { after: placeIn(cursor) };
        return c.json(await (await experiments.shelf()).list({ ...filter, limit, ...after }));
      },
    ),

    route(
      {
        method: "get",
        path: "/experiments/{name}",
        name: "getExperiment",
        summary: "An experiment: scores with their intervals, slices, failures, cost",
        tag: "experiments",
        role: "viewer",
        params: NameParams,
        answers: { 200: { says: "The experiment as it stands.", schema: ExperimentSchema } },
        refusals: [404],
      },
      async ({ params: { name }, c }) => {
        const { viewOf } = await import("../../evals/views/line.ts");
        return c.json(viewOf(await experiments.named(name)));
      },
    ),

    route(
      {
        method: "get",
        path: "/experiments/{name}/cases",
        name: "listCases",
        summary: "What an experiment has tried, the worst first: outputs, scores, feedback, the runs",
        tag: "experiments",
        role: "viewer",
        params: NameParams,
        query: Type.Object(paging, closed),
        answers: { 200: { says: "A page of cases.", schema: CasePage } },
        refusals: [404],
      },
      async ({ params: { name }, query: { from = 0, limit = 100, ...choice }, c }) => {
        const { casePage } = await import("../../evals/views/cases.ts");
        return c.json(casePage(await experiments.named(name), { from, limit, ...choice }));
      },
    ),

    route(
      {
        method: "get",
        path: "/experiments/{name}/comparison",
        name: "compareExperiments",
        summary:
          "An experiment beside an earlier one: the difference with its interval, slices, what a gate says",
        tag: "experiments",
        role: "viewer",
        params: NameParams,
        query: Type.Object(
          {
            with: base,
            margin: Type.Optional(
              Type.Number({
                minimum: 0,
                maximum: 1,
                description: "How much worse is still no worse. Default 0.05.",
              }),
            ),
          },
          closed,
        ),
        answers: { 200: { says: "The comparison.", schema: Comparison } },
        refusals: [404, 409],
      },
      async ({ params: { name }, query: { with: other, ...terms }, c }) => {
        const { beside } = await import("../../evals/views/beside.ts");
        const [before, after] = [await experiments.named(other), await experiments.named(name)];
        try {
          return c.json(beside(before, after, terms));
        } catch (error) {
          if (!(error instanceof RangeError)) throw error;
          const message = `the experiments ${other} and ${name} have no case in common`;
          throw new Refusal(409, "nothing-in-common", message, "Compare two on the same dataset.");
        }
      },
    ),

    route(
      {
        method: "get",
        path: "/experiments/{name}/comparison/cases",
        name: "listPairs",
        summary:
          "The cases of both, those first that have come to do worse: outputs, scores and feedback side by side",
        tag: "experiments",
        role: "viewer",
        params: NameParams,
        query: Type.Object(
          {
            with: base,
            ...paging,
            changed: Type.Optional(Type.Boolean({ description: "Only cases whose scores differ." })),
          },
          closed,
        ),
        answers: { 200: { says: "A page of cases.", schema: PairPage } },
        refusals: [404],
      },
      async ({ params: { name }, query: { with: other, from = 0, limit = 100, ...choice }, c }) => {
        const { pairPage } = await import("../../evals/views/cases.ts");
        const [before, after] = [await experiments.named(other), await experiments.named(name)];
        return c.json(pairPage(before, after, { from, limit, ...choice }));
      },
    ),
  ];
};

/** The experiments of a house. What reads them is loaded when somebody asks. */
function experimentsOf({ store }: House) {
  let made: Promise<Shelf> | undefined;
  const shelf = (): Promise<Shelf> => {
    made ??= import("../../evals/views/shelf.ts").then(({ Shelf }) => new Shelf(store, setImmediate));
    return made;
  };
  return {
    shelf,
    /** @throws Refusal when there is none of that name. */
    async named(name: string): Promise<Experiment> {
      const found = await (await shelf()).of(name);
      if (found !== undefined) return found;
      throw new Refusal(
        404,
        "unknown-experiment",
        `there is no experiment ${name}`,
        "GET /api/v1/experiments lists them; flujo eval makes one.",
      );
    },
  };
}
