import { join } from "node:path";
import { ClusterWorkflowEngine, SingleRunner } from "@effect/cluster";
import { SqliteClient } from "@effect/sql-sqlite-node";
import { Activity, DurableDeferred, Workflow } from "@effect/workflow";
import { Effect, Exit, Layer, Logger, ManagedRuntime, Schema } from "effect";
import { measure, result } from "./shared/harness.ts";

const Result = Schema.Struct({ step: Schema.Number, ok: Schema.Boolean, text: Schema.String });
const activity = (n: number) => Activity.make({ name: `step-${n}`, success: Result, execute: Effect.sync(() => result(n)) });
const make = <Name extends string>(name: Name) =>
  Workflow.make({ name, payload: { id: Schema.String, count: Schema.Number }, success: Schema.Number, idempotencyKey: ({ id }) => id });

const Chain = make("Chain");
const Fan = make("Fan");
const Resume = make("Resume");
const go = DurableDeferred.make("go");
let reached: () => void = () => {};
let started = 0;

const ChainLayer = Chain.toLayer(
  Effect.fn(function* ({ count }) {
    for (let n = 0; n < count; n++) yield* activity(n);
    return count;
  }),
);
const FanLayer = Fan.toLayer(
  Effect.fn(function* ({ count }) {
    const items = Array.from({ length: count }, (_, n) => n);
    yield* Effect.forEach(items, (n) => activity(n), { concurrency: 16, discard: true });
    return count;
  }),
);
const ResumeLayer = Resume.toLayer(
  Effect.fn(function* ({ count }) {
    for (let n = 0; n < count; n++) yield* activity(n);
    reached();
    yield* DurableDeferred.await(go);
    yield* Activity.make({ name: "last", execute: Effect.sync(() => void (started = performance.now())) });
    return count;
  }),
);

await measure({
  name: "Effect workflow",
  packages: ["@effect/workflow", "@effect/cluster", "@effect/sql-sqlite-node", "effect"],
  store: "SQLite, WAL, synchronous=NORMAL (better-sqlite3's default)",
  survives: "kill",
  counts: { resumeLarge: 0 },
  async open(folder) {
    const open = () => {
      const sql = SqliteClient.layer({ filename: join(folder, "effect.db") });
      const engine = ClusterWorkflowEngine.layer.pipe(Layer.provideMerge(SingleRunner.layer()), Layer.provideMerge(sql));
      const flows = Layer.mergeAll(ChainLayer, FanLayer, ResumeLayer).pipe(Layer.provideMerge(engine));
      return ManagedRuntime.make(flows.pipe(Layer.provide(Logger.remove(Logger.defaultLogger))));
    };
    let runtime = open();
    return {
      chain: async (id, steps) => void (await runtime.runPromise(Chain.execute({ id, count: steps }))),
      fanout: async (id, items) => void (await runtime.runPromise(Fan.execute({ id, count: items }))),
      async resume(id, steps) {
        const there = new Promise<void>((resolve) => {
          reached = resolve;
        });
        const executionId = await runtime.runPromise(Resume.execute({ id, count: steps }, { discard: true }));
        await there;
        await new Promise((next) => setTimeout(next, 500)); // it suspends, and lets its entity go
        await runtime.dispose();
        runtime = open();
        const token = DurableDeferred.tokenFromExecutionId(go, { workflow: Resume, executionId });
        const from = performance.now();
        await runtime.runPromise(DurableDeferred.done(go, { token, exit: Exit.void }));
        await runtime.runPromise(Resume.execute({ id, count: steps }));
        return started - from;
      },
      close: () => runtime.dispose(),
    };
  },
});
