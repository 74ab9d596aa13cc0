/** A process that advances one run and tells two sinks everything of it, until it is done or killed. */
import { setTimeout as pause } from "node:timers/promises";
import { mapOver, pipeline, step } from "../../src/core/compose.ts";
import { email, webhook } from "../../src/events/sinks.ts";
import { Flujo } from "../../src/flujo.ts";
import { file } from "../../src/stores/file.ts";
import { sqlite } from "../../src/stores/sqlite.ts";

/** What such a process is given. */
export interface Telling {
  readonly kind: "sqlite" | "file";
  readonly place: string;
  readonly runId: string;
  readonly hooks: string;
  readonly secret: string;
  readonly mail: string;
}

const work = pipeline(
  "work",
  mapOver(
    "each",
    step("part", async (part: number) => {
      await pause(2);
      return part;
    }),
    { concurrency: 2 },
  ),
);

if (process.argv[2] !== undefined) {
  const { kind, place, runId, hooks, secret, mail } = JSON.parse(process.argv[2]) as Telling; // as the test wrote it
  const store = kind === "sqlite" ? sqlite(place) : file(place);
  const flujo = new Flujo(work, {
    store,
    sinks: {
      hooks: { to: webhook({ url: hooks, secret }), events: "all", timeout: "300ms", attempts: 1_000 },
      people: {
        to: email({ server: mail, from: "flujo@example.com", to: "ops@example.com" }),
        events: ["run-created", "step-completed", "run-completed"],
        timeout: "1s",
        attempts: 1_000,
      },
    },
  });
  await flujo.run([1, 2, 3, 4, 5, 6, 7, 8], { runId });
  await flujo.deliver({ early: true }); // also when the run was over before
  await flujo[Symbol.asyncDispose]();
  await store.close();
}
