import { addressOf } from "./address.ts";
import { answers } from "./endpoint.ts";

/** Restate as it says it is. */
export interface RestateFacts {
  readonly name: string;
  /** What keeps its ingress, or its admin API, from being reached. Absent: they answer. */
  readonly ingressTrouble?: string;
  readonly adminTrouble?: string;
  readonly version?: string;
  /** What workers have registered. Absent: no worker has been there yet, or the admin API was not reached. */
  readonly queues?: QueuesFacts;
}

export interface QueuesFacts {
  /** Whether its ingress takes calls of them. */
  readonly isPublic: boolean;
  /** How long it keeps what it has written of a call that is over, and what came of it: `0s`, `1d`. */
  readonly journalRetention: string;
  readonly idempotencyRetention: string;
  /** Where it calls them, and whether a worker answers there, as seen from this machine. */
  readonly places: readonly { readonly uri: string; readonly isThere: boolean }[];
}

const patienceMs = 5_000;

/**
 * Only reads. Restate keeps what it is told on its disk: whether that is one, it does not say.
 *
 * @throws InvalidOptionError
 */
export async function checkUp(address: string, service = "flujo-jobs"): Promise<RestateFacts> {
  const { name, ingress, admin, token } = addressOf(address);
  const ask = async (base: URL, path: string): Promise<Response> =>
    fetch(new URL(path, base), {
      headers: token === undefined ? {} : { authorization: `Bearer ${token}` },
      signal: AbortSignal.timeout(patienceMs),
    });
  const [ingressTrouble, found] = await Promise.all([
    troubleWith(async () => {
      await answered(await ask(ingress, "restate/health"));
    }),
    (async () => {
      let facts: Pick<RestateFacts, "version" | "queues"> = {};
      const adminTrouble = await troubleWith(async () => {
        const { version } = (await answered(await ask(admin, "version"))) as { readonly version?: string }; // so it has it
        const queues = await ask(admin, `services/${service}`);
        facts = {
          ...(version === undefined ? {} : { version }),
          ...(queues.status === 404
            ? {}
            : {
                queues: await queuesOf(
                  (await answered(queues)) as Service,
                  () => ask(admin, "deployments"),
                  service,
                ),
              }),
        };
      });
      return { ...facts, ...(adminTrouble === undefined ? {} : { adminTrouble }) };
    })(),
  ]);
  return { name, ...found, ...(ingressTrouble === undefined ? {} : { ingressTrouble }) };
}

/** A service, as the admin API has it. */
interface Service {
  readonly public?: boolean;
  readonly journal_retention?: string;
  readonly idempotency_retention?: string;
  readonly deployment_id: string;
}

async function queuesOf(
  { public: isPublic = true, journal_retention, idempotency_retention, deployment_id }: Service,
  deployments: () => Promise<Response>,
  service: string,
): Promise<QueuesFacts> {
  const { deployments: all } = (await answered(await deployments())) as {
    readonly deployments: readonly { readonly id: string; readonly uri?: string }[]; // so the admin API has it
  };
  const uris = all.flatMap(({ id, uri }) => (id === deployment_id && uri !== undefined ? [uri] : []));
  return {
    isPublic,
    journalRetention: journal_retention ?? "0s",
    idempotencyRetention: idempotency_retention ?? "0s",
    places: await Promise.all(uris.map(async (uri) => ({ uri, isThere: await answers(uri, service) }))),
  };
}

/** @throws Error with what it says, where it refuses. */
async function answered(response: Response): Promise<unknown> {
  if (response.ok) return await response.json();
  throw new Error(`it says ${response.status}: ${(await response.text()).slice(0, 200)}`);
}

async function troubleWith(work: () => Promise<void>): Promise<string | undefined> {
  try {
    await work();
    return undefined;
  } catch (error) {
    if (!(error instanceof Error)) return String(error);
    if (error.name === "TimeoutError") return "it does not answer";
    return (error.cause instanceof Error && error.cause.message) || error.message; // `fetch` says it in the cause
  }
}
