import { LeaseHeldError, LeaseLostError } from "../core/errors.ts";
import type { Lease, LeaseAnswer, Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import type { Tenure } from "./tenure.ts";

/** The lease of a run, or why there is none. A lease whose owner is known to be gone is not waited out. */
export async function acquire(
  store: Store,
  world: World,
  runId: string,
  ttlMs: number,
  create: boolean,
): Promise<Lease | "exists" | "unknown"> {
  const answer = await askForLease(store, world, runId, ttlMs, create);
  if (answer.outcome === "granted") return answer.lease;
  if (answer.outcome === "held") throw held(answer.lease, world);
  return answer.outcome;
}

/** The same, for whom it is no error that somebody has the lease. */
export async function askForLease(
  store: Store,
  world: World,
  runId: string,
  ttlMs: number,
  create: boolean,
): Promise<LeaseAnswer> {
  const request = { runId, owner: world.owner, now: world.now(), ttlMs };
  const answer = await store.acquire(create ? { ...request, create } : request);
  return answer.outcome === "held" && world.isGone(answer.lease.owner)
    ? store.acquire({ ...request, supersede: answer.lease.fence })
    : answer;
}

function held({ runId, owner, expiresAt }: Lease, world: World): LeaseHeldError {
  const left = Math.max(0, Math.ceil((expiresAt - world.now()) / 1_000));
  return new LeaseHeldError(`run ${runId} is being advanced by another process (${owner})`, {
    runId,
    retryable: true,
    hint: `Follow it with "flujo lens show ${runId}". Should that process have died, its lease ends in ${left} s.`,
  });
}

const lookEveryMs = 1_000;
/** The same while the store tells of messages. */
const restMs = 10_000;

/** What a process does while it has a lease. */
export interface Attention {
  /** The store that has granted it. */
  readonly store: Store;
  /** Looks for messages to the holder. */
  readonly look: () => Promise<void>;
  /** Whether they are told by now. Asked once a second: a run that is shorter than that needs nobody to tell it anything. */
  readonly isTold: () => boolean;
}

/**
 * Renews a lease, every third of its time, and looks for messages to its holder: once a second, or now and then where they are
 * told. Returns how to stop.
 */
export function keepAlive(
  tenure: Tenure,
  lease: Lease,
  ttlMs: number,
  { store, look, isTold }: Attention,
): () => void {
  const { world } = tenure;
  const every = Math.min(lookEveryMs, ttlMs / 3);
  let renewAt = world.now() + ttlMs / 3;
  let lookAt = 0;
  let off = world.timer(every, beat, { background: true });
  let stopped = false;

  async function beat(): Promise<void> {
    try {
      if (world.now() >= renewAt) await renew();
      if (!isTold() || world.now() >= lookAt) await attend();
    } catch {
      // The next append will say what is wrong with the store; one missed beat alone loses nothing.
    }
    if (!stopped) off = world.timer(every, beat, { background: true });
  }

  async function attend(): Promise<void> {
    lookAt = world.now() + restMs;
    await look();
  }

  async function renew(): Promise<void> {
    renewAt = world.now() + ttlMs / 3;
    if (await store.renew(lease, world.now() + ttlMs)) return;
    const { runId } = lease;
    tenure.lose(
      new LeaseLostError(`another process has taken over run ${runId}; this one has stopped`, { runId }),
    );
  }

  return () => {
    stopped = true;
    off();
  };
}
