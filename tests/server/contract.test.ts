import { Validator } from "@seriousme/openapi-schema-validator";
import { Ajv2020 } from "ajv/dist/2020.js";
import ajvFormats from "ajv-formats";
import { createParser, type EventSourceMessage } from "eventsource-parser";
import { DeliveryFailedError, Flujo, type Sinks } from "flujo";
import type {
  AccountView,
  Acted,
  CasePage,
  ComparisonView,
  CostsView,
  EntryPage,
  ExperimentPage,
  ExperimentView,
  ImprovablesView,
  InboxItem,
  Json,
  OperationDetail,
  OperationPage,
  PairPage,
  PipelineView,
  ReplayReport,
  ResentLetter,
  RunDetail,
  RunGraph,
  RunPage,
  StatsView,
  Submitted,
  TracePage,
  Undelivered,
  VersionDiff,
  VersionsView,
} from "flujo/client";
import type { Static, TSchema } from "typebox";
import { beforeAll, describe, expect, expectTypeOf, onTestFinished, test } from "vitest";
import { versionOf } from "../../src/core/fingerprint.ts";
import { nodeOf } from "../../src/core/step.ts";
import { Outbox } from "../../src/events/outbox.ts";
import type { RunDiff } from "../../src/lens/diff.ts";
import type { StateStory } from "../../src/lens/state-story.ts";
import type { TreePage } from "../../src/lens/tree.ts";
import { nodeWorld } from "../../src/node-world.ts";
import { addSchedule } from "../../src/schedules/plan.ts";
import { newSchedule } from "../../src/schedules/schedule.ts";
import type * as besides from "../../src/server/besides-schemas.ts";
import type * as diffs from "../../src/server/diff-schemas.ts";
import type * as experiments from "../../src/server/experiment-schemas.ts";
import type * as figures from "../../src/server/figure-schemas.ts";
import type * as operations from "../../src/server/operation-schemas.ts";
import type * as pipelines from "../../src/server/pipeline-schemas.ts";
import type * as acts from "../../src/server/request-schemas.ts";
import type * as runs from "../../src/server/run-schemas.ts";
import { memory } from "../../src/stores/memory.ts";
import { tryWords } from "./experiments.ts";
import { hello, type Stage, stage } from "./stage.ts";

/** The parts of an OpenAPI document that are looked at here. */
type Document = {
  readonly paths: { readonly [path: string]: { readonly [method: string]: Operation } };
};
interface Operation {
  readonly operationId: string;
  readonly responses: {
    readonly [status: string]: {
      readonly content?: { readonly [type: string]: { readonly schema: object } };
    };
  };
}

/** Requests that together reach every route, in this order. `{…}` in a path are its parameters, filled in. */
const requests: readonly (readonly [name: string, status: number, path: string, body?: object])[] = [
  ["startRun", 202, "/runs", { pipeline: "choosing", runId: "c", budget: "$1" }],
  ["followRun", 200, "/runs/c/events"],
  ["startRun", 200, "/runs", { pipeline: "choosing", runId: "c" }],
  ["startRun", 422, "/runs", { pipeline: "hello", input: 1 }],
  ["startRun", 409, "/runs", { pipeline: "none" }],
  ["submitRun", 202, "/submissions", { pipeline: "hello", input: "x", runId: "w", queue: "q", delay: "1d" }],
  ["submitRun", 200, "/submissions", { pipeline: "hello", input: "x", runId: "w" }],
  ["submitRun", 409, "/submissions", { pipeline: "hello", input: "y", runId: "w" }],
  ["submitRun", 422, "/submissions", { pipeline: "hello", input: 1 }],
  ["submitRun", 422, "/submissions", { pipeline: "hello", input: "x", queue: "no name" }],
  ["submitRun", 400, "/submissions", { pipeline: "hello", input: "x", delay: "soon" }],
  ["getRun", 200, "/runs/w"],
  ["listRuns", 200, "/runs?status=waiting&limit=1"],
  ["listRuns", 400, "/runs?limit=many"],
  ["getRun", 200, "/runs/c"],
  ["getRun", 404, "/runs/none"],
  ["getRun", 400, "/runs/-"],
  ["listOperations", 200, "/runs/c/operations"],
  ["getTree", 200, "/runs/c/tree?at=0%3A&at=0%3A%2Fchoosing&limit=10"],
  ["getTree", 400, "/runs/c/tree?at=top"],
  ["getTree", 404, "/runs/none/tree"],
  ["getTrace", 200, "/runs/c/trace?from=0&limit=2&whole=true"],
  ["getTrace", 404, "/runs/none/trace"],
  ["getState", 200, "/runs/c/state?from=0&limit=5"],
  ["getState", 404, "/runs/none/state"],
  ["listSchedules", 200, "/schedules"],
  ["pauseSchedule", 404, "/schedules/none/pause", {}],
  ["pauseSchedule", 200, "/schedules/nightly/pause", {}],
  ["unpauseSchedule", 404, "/schedules/none/unpause", {}],
  ["unpauseSchedule", 200, "/schedules/nightly/unpause", {}],
  ["addSchedule", 201, "/schedules", { pipeline: "hello", cron: "0 9 * * 1", input: "Ada", budget: "$1" }],
  ["addSchedule", 409, "/schedules", { pipeline: "hello", cron: "0 9 * * 1", input: "Ada" }],
  ["addSchedule", 409, "/schedules", { pipeline: "none", cron: "@daily" }],
  ["addSchedule", 400, "/schedules", { pipeline: "hello", cron: "at nine", name: "other", input: "Ada" }],
  ["addSchedule", 422, "/schedules", { pipeline: "hello", cron: "@daily", name: "other", input: 1 }],
  ["removeSchedule", 200, "/schedules/hello/remove", {}],
  ["removeSchedule", 404, "/schedules/hello/remove", {}],
  ["diffRuns", 200, "/runs/c/diff?with=c"],
  ["diffRuns", 404, "/runs/c/diff?with=none"],
  ["getOperation", 200, "/runs/c/operation?path=/choosing/pick"],
  ["getOperation", 404, "/runs/c/operation?path=/none"],
  ["listEntries", 200, "/runs/c/entries"],
  ["getRunGraph", 200, "/runs/c/graph"],
  ["followRun", 204, "/runs/c/events?from=1000"],
  ["getInbox", 200, "/inbox?for=ana"],
  ["sendSignal", 422, "/runs/c/signals", { path: "/choosing/pick", data: 1 }],
  ["sendSignal", 202, "/runs/c/signals", { path: "/choosing/pick", data: { colour: "red" } }],
  ["sendSignal", 409, "/runs/c/signals", { path: "/choosing/pick", data: { colour: "red" } }],
  ["getImprovables", 200, "/runs/c/improvables?at=/choosing/paid"],
  ["getImprovables", 404, "/runs/none/improvables"],
  ["forkRun", 202, "/runs/c/fork", { at: "/choosing/paid", runId: "fork" }],
  ["forkRun", 200, "/runs/c/fork", { at: "/choosing/paid", runId: "fork" }],
  ["forkRun", 409, "/runs/c/fork", { at: "/choosing/pick", runId: "fork" }],
  ["forkRun", 400, "/runs/c/fork", { at: "/choosing/none" }],
  ["forkRun", 404, "/runs/none/fork", { at: "/choosing/paid" }],
  ["topUpRun", 202, "/runs/c/top-up", { by: "$1" }],
  ["topUpRun", 400, "/runs/c/top-up", { by: { tokens: 5 } }],
  ["cancelRun", 202, "/runs/c/cancel", { reason: "enough" }],
  ["resumeRun", 409, "/runs/c/resume", {}],
  ["startRun", 202, "/runs", { pipeline: "failing", runId: "f", scopes: ["tenant:acme"] }],
  ["followRun", 200, "/runs/f/events"],
  ["resumeRun", 202, "/runs/f/resume", { budget: { calls: 5 } }],
  ["startRun", 202, "/runs", { pipeline: "spending", input: ["a"], runId: "s", scopes: ["tenant:acme"] }],
  ["followRun", 200, "/runs/s/events"],
  ["getRun", 200, "/runs/s"],
  ["listBudgets", 200, "/budgets"],
  ["getStats", 200, "/stats?timeZone=Europe/Vienna&newest=2"],
  ["getStats", 400, "/stats?timeZone=Nowhere"],
  ["getCosts", 200, "/costs?pipeline=spending"],
  ["getCosts", 400, "/costs?createdFrom=soon"],
  ["getRunCosts", 200, "/runs/s/costs"],
  ["getRunCosts", 404, "/runs/none/costs"],
  ["listVersions", 200, "/versions"],
  ["diffVersions", 200, "/versions/diff?a={version}&b={version}"],
  ["diffVersions", 404, "/versions/diff?a=0000&b=0000"],
  ["replayRun", 200, "/runs/s/replay", { bodies: "all" }],
  ["replayRun", 404, "/runs/none/replay", {}],
  ["listExperiments", 200, "/experiments?dataset=letters&limit=1"],
  ["listExperiments", 400, "/experiments?cursor=none"],
  ["getExperiment", 200, "/experiments/after"],
  ["getExperiment", 404, "/experiments/c"],
  ["listCases", 200, "/experiments/after/cases?limit=2&tag=t"],
  ["listCases", 404, "/experiments/none/cases"],
  ["compareExperiments", 200, "/experiments/after/comparison?with=before&margin=0.1"],
  ["compareExperiments", 404, "/experiments/after/comparison?with=none"],
  ["compareExperiments", 409, "/experiments/after/comparison?with=other"],
  ["listPairs", 200, "/experiments/after/comparison/cases?with=before&changed=true"],
  ["listPairs", 404, "/experiments/none/comparison/cases?with=after"],
  ["listPipelines", 200, "/pipelines"],
  ["getPipeline", 200, "/pipelines/hello"],
  ["getPipeline", 404, "/pipelines/none"],
  ["getOutbox", 200, "/outbox"],
  ["resendLetter", 200, "/outbox/{letter}/resend", {}],
  ["resendLetter", 404, "/outbox/none/resend", {}],
  ["dropLetter", 200, "/outbox/{letter}/drop", {}],
  ["dropLetter", 404, "/outbox/none/drop", {}],
  ["followRuns", 200, "/events"],
  ["followRuns", 200, "/events?past=10000"],
  ["getCaller", 200, "/caller"],
  ["getOpenApi", 200, "/openapi.json"],
];

describe("the API and its document", () => {
  let document: Document;
  beforeAll(async () => {
    const store = memory();
    const { serverApp } = await import("../../src/server/app.ts");
    const { hono } = serverApp({ store, world: nodeWorld() });
    document = (await (
      await hono.request("/api/v1/openapi.json", { headers: { host: "localhost" } })
    ).json()) as Document;
  });

  test("an OpenAPI document, as another hand reads it", async () => {
    const { valid, errors } = await new Validator().validate(structuredClone(document));
    expect([valid, errors]).toEqual([true, undefined]);
  });

  test("every route is asked for here", () => {
    const documented = Object.values(document.paths).flatMap((path) =>
      Object.values(path).map(({ operationId }) => operationId),
    );
    expect(documented.length).toBeGreaterThan(15);
    expect(new Set(requests.map(([name]) => name))).toEqual(new Set(documented));
  });

  test("what comes back is what the document says, by status and shape", async () => {
    const { url, store, close } = await refusingStage();
    const letter = await deadLetterIn(store);
    await tryWords(store, "before");
    await tryWords(store, "after", { wrong: ["ant"] });
    await tryWords(store, "other", { words: ["x"] });
    const version = versionOf(nodeOf(hello, "hello")).fingerprint;
    const nightly = { name: "nightly", pipeline: "hello", input: "Ada" };
    await addSchedule(store, newSchedule(nightly, { cron: "0 3 * * *" }, Date.now()));
    const ajv = new Ajv2020({ strict: false, allErrors: true });
    ajvFormats.default(ajv);
    ajv.addSchema(document as object, "openapi.json");
    for (const [name, status, path, body] of requests) {
      const [route, operation] = operationNamed(document, name);
      const filled = path.replace("{letter}", letter).replaceAll("{version}", version);
      const stop = new AbortController();
      const response = await fetch(`${url}/api/v1${filled}`, {
        signal: stop.signal,
        ...(body === undefined
          ? {}
          : {
              method: "POST",
              headers: { "content-type": "application/json" },
              body: JSON.stringify(body),
            }),
      });
      const what = `${name} ${filled}`;
      expect(response.status, what).toBe(status);
      const documented = operation.responses[status];
      expect(documented, `${what}: ${status} is documented`).toBeDefined();
      const [type] = Object.keys(documented?.content ?? {});
      if (type === undefined) continue;
      expect(response.headers.get("content-type"), what).toMatch(type);
      const pointer = [...route, "responses", status, "content", type, "schema"].map((part) =>
        encodeURIComponent(String(part).replaceAll("~", "~0").replaceAll("/", "~1")),
      );
      const validate = ajv.compile({ $ref: `openapi.json#/${pointer.join("/")}` });
      const values =
        name === "followRuns"
          ? [await nextChange(response, url)]
          : type === "text/event-stream"
            ? eventsIn(await response.text()).flatMap(({ event, data }) =>
                event === "end" ? [] : [JSON.parse(data)],
              )
            : [await response.json()];
      stop.abort();
      expect(values.length, what).toBeGreaterThan(0);
      for (const value of values)
        expect([validate(value), validate.errors, what]).toEqual([true, null, what]);
    }
    await close();
  });
});

test("what the types of the client say fits the schemas of the server", () => {
  fits<typeof runs.RunPage, Loose<RunPage>>();
  fits<typeof runs.RunDetail, Loose<RunDetail>>();
  fits<typeof operations.OperationPage, Loose<OperationPage>>();
  fits<typeof operations.Operation, Loose<OperationDetail>>();
  fits<typeof operations.TracePage, Loose<TracePage>>();
  fits<typeof operations.TreePage, Loose<TreePage>>();
  fits<typeof operations.StateStory, Loose<StateStory>>();
  fits<typeof diffs.RunDiff, Loose<RunDiff>>();
  fits<typeof pipelines.Graph, Loose<RunGraph>>();
  fits<typeof figures.Stats, Loose<StatsView>>();
  fits<typeof figures.Costs, Loose<CostsView>>();
  fits<typeof figures.VersionList, Loose<VersionsView>>();
  fits<typeof figures.VersionDiff, Loose<VersionDiff>>();
  fits<typeof figures.ReplayReport, Loose<ReplayReport>>();
  fits<typeof experiments.ExperimentPage, Loose<ExperimentPage>>();
  fits<typeof experiments.Experiment, Loose<ExperimentView>>();
  fits<typeof experiments.CasePage, Loose<CasePage>>();
  fits<typeof experiments.Comparison, Loose<ComparisonView>>();
  fits<typeof experiments.PairPage, Loose<PairPage>>();
  fits<typeof acts.Improvables, Loose<ImprovablesView>>();
  fits<typeof pipelines.Pipeline, Loose<PipelineView>>();
  fits<typeof besides.InboxItem, Loose<InboxItem>>();
  fits<typeof besides.Account, Loose<AccountView>>();
  fits<typeof besides.Undelivered, Loose<Undelivered>>();
  fits<typeof besides.Resent, Loose<ResentLetter>>();
  fits<typeof acts.Acted, Loose<Acted>>();
  fits<typeof acts.Submitted, Loose<Submitted>>();
  expectTypeOf<EntryPage["next"]>().toEqualTypeOf<Static<typeof runs.EntryPage>["next"]>();
});

/** Compiles when what the type says fits the schema, and neither has a field that the other has not. */
function fits<S extends TSchema, T extends Static<S>>(
  ..._: Same<Fields<T>, Fields<Static<S>>> extends true ? [] : [theyDiffer: never]
): void {}
type Same<A, B> = [A, B] extends [B, A] ? true : false;
type Fields<T> = Json extends T
  ? unknown
  : T extends readonly (infer One)[]
    ? Fields<One>[]
    : T extends object
      ? { [K in keyof T]-?: Fields<T[K]> }
      : unknown;
type Loose<T> = T extends readonly (infer One)[]
  ? Loose<One>[]
  : T extends object
    ? { -readonly [K in keyof T]: Loose<T[K]> }
    : T;

function operationNamed(document: Document, name: string): [string[], Operation] {
  for (const [path, methods] of Object.entries(document.paths)) {
    for (const [method, operation] of Object.entries(methods)) {
      if (operation.operationId === name) return [["paths", path, method], operation];
    }
  }
  throw new Error(`no route is named ${name}`);
}

function eventsIn(text: string): EventSourceMessage[] {
  const events: EventSourceMessage[] = [];
  createParser({ onEvent: (event) => events.push(event) }).feed(text);
  return events;
}

/** The first run that is told of as changed, once one has changed. */
async function nextChange(response: Response, url: string): Promise<unknown> {
  const [changed] = await Promise.all([
    (async () => {
      let text = "";
      for await (const chunk of (response.body as ReadableStream<Uint8Array>).pipeThrough(
        new TextDecoderStream(),
      )) {
        text += chunk;
        const [event] = eventsIn(text);
        if (event !== undefined) return JSON.parse(event.data) as unknown;
      }
      throw new Error("no event came");
    })(),
    fetch(`${url}/api/v1/runs`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ pipeline: "hello", input: "x", runId: "late" }),
    }),
  ]);
  return changed;
}

/** A stage whose sink takes nothing the first two times. */
async function refusingStage(): Promise<Stage> {
  const store = memory();
  let tries = 0;
  const sinks: Sinks = {
    ops: {
      name: "refusing",
      deliver: async () => {
        if (tries++ < 2) throw new DeliveryFailedError("not today", { retryable: false });
      },
    },
  };
  await using flujo = new Flujo(hello, { store, sinks, onError: () => {} });
  await flujo.run("Ada", { runId: "told" });
  const outbox = new Outbox({ store, world: nodeWorld(), sinks, onError: () => {} });
  onTestFinished(() => outbox.leave());
  return stage({ store, outbox });
}

async function deadLetterIn(store: Stage["store"]): Promise<string> {
  const { undeliveredIn } = await import("../../src/events/undelivered.ts");
  const [letter] = (await undeliveredIn(store)).dead;
  return letter?.id ?? "";
}
