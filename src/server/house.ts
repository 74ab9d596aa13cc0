/** What the routes of the API work with. */
import { UnknownRunError } from "../core/errors.ts";
import { versionOf } from "../core/fingerprint.ts";
import { nodeOf } from "../core/step.ts";
import { unknownRun } from "../engine/load.ts";
import { type Root, rootOf } from "../engine/root.ts";
import type { Outbox } from "../events/outbox.ts";
import { Journals, type OpenJournal } from "../lens/journals.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { Feed } from "./feed.ts";
import { Refusal } from "./letter.ts";
import type { Running, ServerParts } from "./parts.ts";
import { Streams } from "./streams.ts";
import { Trials } from "./trials.ts";

/** A pipeline that runs here. */
export interface Service {
  readonly name: string;
  readonly root: Root;
  readonly fingerprint: string;
  readonly flujo: Running;
}

export interface House {
  readonly store: Store;
  readonly world: World;
  readonly journals: Journals;
  readonly feed: Feed;
  readonly streams: Streams;
  readonly trials: Trials;
  /** Waiting runs that are known to ask nobody anything: see `Looking` of `lens/inbox.ts`. */
  readonly silent: Map<string, number>;
  /** By name. */
  readonly services: ReadonlyMap<string, Service>;
  readonly outbox: Outbox | undefined;
  /** Runs whose beginning is being recorded at a request. */
  readonly starting: Map<string, Promise<void>>;
}

/** @throws InvalidPipelineError */
export function houseOf({ store, world, options, pipelines = [], outbox }: ServerParts): House {
  const services = pipelines.map(({ step, flujo }): Service => {
    const root = rootOf(nodeOf(step, "what the server was given to serve"));
    return { name: root.pipeline.name, root, fingerprint: versionOf(root.node).fingerprint, flujo };
  });
  return {
    store,
    world,
    journals: new Journals(store),
    feed: new Feed(store, world),
    streams: new Streams(world, options?.limits?.streams),
    trials: new Trials(store, world),
    silent: new Map(),
    services: new Map(services.map((service) => [service.name, service])),
    outbox,
    starting: new Map(),
  };
}

/** @throws UnknownRunError */
export async function journalOf({ journals, store }: House, runId: string): Promise<OpenJournal> {
  const journal = await journals.of(runId);
  if (journal !== undefined) return journal;
  throw (await store.read(runId, 0, 1)) === undefined ? unknownRun(runId, store) : nothingRecorded(runId);
}

const nothingRecorded = (runId: string): UnknownRunError =>
  new UnknownRunError(`run ${runId} was given its id, and nothing else was recorded yet`, {
    runId,
    hint: "Look again in a moment; or start it again with the same run id.",
  });

/** The service of a run's pipeline; undefined where none is served here. */
export const serviceOf = ({ services }: House, { run }: OpenJournal): Service | undefined =>
  services.get(run.created?.pipeline ?? "");

/** Of a pipeline that cannot be run here. */
export function notServed(house: House, pipeline: string): Refusal {
  const served = [...house.services.keys()];
  return new Refusal(
    409,
    "not-served",
    `the pipeline ${pipeline} is not served here`,
    served.length === 0
      ? "This server only looks at a store; flujo up serves the pipelines of a folder."
      : `Served are ${served.join(", ")}.`,
  );
}
