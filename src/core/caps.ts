/** Limits of what all workers on a store have under way at once, or begin in a minute. */
import { checkedName, type DispatchTerms, defaultQueue } from "./dispatch.ts";
import { InvalidOptionError } from "./errors.ts";

/** How many runs of a queue may be under way at once, and begun in any minute, over all workers. Whole numbers from 1. */
export interface QueueLimits {
  /** Default: no limit. */
  readonly most?: number;
  /** Runs that begin; one that goes on, after an answer say, does not count again. Default: no limit. */
  readonly perMinute?: number;
}

/** How many runs of a tenant may be under way at once, over all workers. Whole numbers from 1. */
export interface TenantLimits {
  /** Of each tenant that is not named. Default: no limit. */
  readonly most?: number;
  readonly named?: { readonly [tenant: string]: number };
}

/** A limit that a run counts against. */
export interface Cap extends QueueLimits {
  /** `tenant/acme`, `queue/mail`. */
  readonly scope: string;
}

/** The limits that a run of these terms counts against. */
export type Caps = (terms: DispatchTerms) => readonly Cap[];

/**
 * @returns undefined where there are no limits.
 * @throws InvalidOptionError for a limit that is none.
 */
export function capsOf(
  tenants: TenantLimits = {},
  queues: { readonly [queue: string]: QueueLimits } = {},
): Caps | undefined {
  const { most, named = {} } = tenants;
  const byTenant = new Map(Object.entries(named));
  const byQueue = new Map(Object.entries(queues));
  for (const [name, limit] of byTenant) checkLimit(`tenants, named: ${checkedName("tenant", name)}`, limit);
  checkLimit("tenants, most", most);
  for (const [name, limits] of byQueue) {
    const where = `queues, ${checkedName("queue", name)}`;
    checkLimit(`${where}, most`, limits.most);
    checkLimit(`${where}, perMinute`, limits.perMinute);
  }
  if (most === undefined && byTenant.size === 0 && byQueue.size === 0) return undefined;
  return ({ tenant, queue = defaultQueue }) => {
    const ofTenant = tenant === undefined ? undefined : (byTenant.get(tenant) ?? most);
    const ofQueue = byQueue.get(queue);
    return [
      ...(ofTenant === undefined ? [] : [{ scope: `tenant/${tenant}`, most: ofTenant }]),
      ...(ofQueue === undefined ? [] : [{ scope: `queue/${queue}`, ...ofQueue }]),
    ];
  };
}

function checkLimit(where: string, limit: number | undefined): void {
  if (limit === undefined || (Number.isSafeInteger(limit) && limit >= 1)) return;
  throw new InvalidOptionError(`a limit of flujo.config.ts is ${limit} (${where})`, {
    hint: "It takes whole numbers from 1: tenants: { most: 5, named: { acme: 20 } }, queues: { mail: { most: 10, perMinute: 600 } }",
  });
}
