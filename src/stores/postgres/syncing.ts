/** What a statement says of how safe it has to be before it is answered, as the first of its common table expressions. */

/**
 * For statements about leases, which wait for no sync: one that is lost with the power had protected nothing acknowledged,
 * since the next synced commit takes along all that stands before it in the log.
 */
export const lax = "lax AS (SELECT set_config('synchronous_commit', 'off', true))";

/** For what somebody outside is told is kept, or gone: a server may be set to answer before it is on the disk. */
export const firm = `firm AS (SELECT CASE current_setting('synchronous_commit')
  WHEN 'off' THEN set_config('synchronous_commit', 'on', true) END)`;
