/**
 * What Flujo has in a Postgres database: one schema, its tables, and functions for what has to be decided where it is
 * written. Every call is one statement or one short transaction, and nothing is kept in a session, so that a pooler may
 * hand each transaction to another connection.
 *
 * The entries of one append lie in one row, a JSON array, under the seq of its last entry: a row costs its insert, whatever
 * it holds. Bodies are text and not jsonb, which refuses some characters that JSON may have, and puts fields in an order of
 * its own.
 */

import { messagesView, views } from "./views.ts";

/** Kept in the table `format`. A database with a higher one is refused. */
export const formatVersion = 2;

/** The statements that bring a schema from one format to the next; the first from nothing. Each is done once, whole. */
export const steps: readonly ((schema: string) => string)[] = [first, second];

/** A name as SQL has it. */
export const quoted = (name: string): string => `"${name.replaceAll('"', '""')}"`;

function first(s: string): string {
  return `
  CREATE TABLE ${s}.run(
    num bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    fence bigint NOT NULL,
    owner text,               -- NULL: released
    expires bigint NOT NULL,
    pipeline text,            -- NULL, as the columns below: no summary yet
    fingerprint text,
    status text,
    created bigint,
    updated bigint,
    pico_usd numeric,
    input_tokens bigint,
    output_tokens bigint,
    calls bigint,
    wake_at bigint,           -- NULL: nothing wakes it by itself
    heard bigint,             -- signals seen by a waiting run; NULL: it does not wait
    sent bigint NOT NULL DEFAULT 0
  ) WITH (fillfactor = 70);
  CREATE INDEX run_by_age ON ${s}.run(created DESC, id DESC) WHERE pipeline IS NOT NULL;
  CREATE INDEX run_by_waking ON ${s}.run(wake_at, id) WHERE wake_at IS NOT NULL;
  CREATE INDEX run_by_lease ON ${s}.run(expires, id) WHERE status = 'running';
  CREATE INDEX run_with_word ON ${s}.run(id) WHERE heard < sent;

  CREATE TABLE ${s}.entry(run bigint NOT NULL, last int NOT NULL, body text NOT NULL, PRIMARY KEY(run, last));
  CREATE TABLE ${s}.blob(hash text COLLATE "C" PRIMARY KEY, utf8 bytea NOT NULL); -- a text of Postgres holds no NUL
  CREATE TABLE ${s}.signal(
    run bigint NOT NULL,
    place int NOT NULL,
    id text NOT NULL,         -- as JSON has it: it may hold a NUL
    body text NOT NULL,
    PRIMARY KEY(run, place),
    UNIQUE(run, id)
  );
  CREATE TABLE ${s}.cached(key text COLLATE "C" PRIMARY KEY, value text NOT NULL, expires bigint);
  CREATE TABLE ${s}.account(scope text COLLATE "C" PRIMARY KEY, holds int NOT NULL, body text NOT NULL)
    WITH (fillfactor = 50);
  CREATE INDEX account_with_holds ON ${s}.account(scope) WHERE holds > 0;
  CREATE TABLE ${s}.note(key text COLLATE "C" PRIMARY KEY, version text NOT NULL, body text NOT NULL);
  -- Values that a sweep is about to remove, by the name of the sweep. Nearly always empty.
  CREATE TABLE ${s}.condemned(hash text COLLATE "C" NOT NULL, sweep text NOT NULL, PRIMARY KEY(hash, sweep));
  ${append(s)}
  ${send(s)}
  ${accounts(s)}
  ${drop(s)}
  ${sweep(s)}
  ${views(s)}
  `;
}

/**
 * Lists of what has changed, of one pipeline, and of what has not completed, pass over no other runs. Most runs have
 * completed: they are in no index by status. Messages have their view anew.
 */
function second(s: string): string {
  return `
  DROP INDEX ${s}.run_by_age;
  CREATE INDEX run_by_age ON ${s}.run(created, id) WHERE pipeline IS NOT NULL;
  CREATE INDEX run_by_change ON ${s}.run(updated) WHERE pipeline IS NOT NULL;
  CREATE INDEX run_by_pipeline ON ${s}.run(pipeline, created, id) WHERE pipeline IS NOT NULL;
  CREATE INDEX run_by_status ON ${s}.run(status, created, id)
    WHERE pipeline IS NOT NULL AND status <> 'completed';
  ${add(s)}
  ${messagesView(s)};
  `;
}

/**
 * Adds appends: of each the run, its fence, the seqs it goes on from and to, its rows, values and summary, the latter by the
 * append's place. Returns the places of those that were added.
 *
 * Runs are locked first, in one order for all: what a fence says stands until the transaction ends. Statements that come
 * after see all that was committed before the locks were had.
 */
const append = (s: string): string => `
  CREATE FUNCTION ${s}.append(
    runs text[], fences bigint[], firsts int[], nexts int[],
    row_of int[], lasts int[], bodies text[],
    value_of int[], hashes text[], utf8s bytea[],
    summary_of int[], summaries jsonb[],
    synced boolean
  ) RETURNS int[] LANGUAGE plpgsql AS $$
  DECLARE
    places int[];
    nums bigint[];
    gap record;
  BEGIN
    IF NOT synced THEN
      PERFORM set_config('synchronous_commit', 'off', true);
    ELSIF current_setting('synchronous_commit') = 'off' THEN
      PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    SELECT array_agg(place), array_agg(num) INTO places, nums FROM (
      SELECT asked.place::int AS place, run.num
      FROM unnest(runs, fences) WITH ORDINALITY AS asked(id, fence, place)
        JOIN ${s}.run ON run.id = asked.id AND run.fence = asked.fence
      WHERE run.owner IS NOT NULL
      ORDER BY run.num FOR NO KEY UPDATE OF run
    ) AS owned;
    IF places IS NULL THEN
      RETURN '{}';
    END IF;

    SELECT * INTO gap FROM (
      SELECT runs[place] AS run, first, coalesce(
          max(next) OVER (PARTITION BY num ORDER BY place ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING),
          (SELECT entry.last + 1 FROM ${s}.entry WHERE entry.run = num ORDER BY entry.last DESC LIMIT 1),
          0) AS expected
      FROM unnest(places, nums) AS owned(place, num)
        JOIN unnest(firsts, nexts) WITH ORDINALITY AS asked(first, next, place) USING (place)
    ) AS placed WHERE first <> expected LIMIT 1;
    IF FOUND THEN
      RAISE EXCEPTION 'misplaced' USING ERRCODE = 'FJ001',
        DETAIL = json_build_object('run', gap.run, 'seq', gap.first, 'expected', gap.expected)::text;
    END IF;

    INSERT INTO ${s}.entry(run, last, body)
      SELECT num, last, body FROM unnest(row_of, lasts, bodies) AS rows(place, last, body)
        JOIN unnest(places, nums) AS owned(place, num) USING (place);

    IF cardinality(hashes) > 0 THEN
      -- First the mark: who sweeps waits here, or has taken the value away by now.
      DELETE FROM ${s}.condemned WHERE hash IN (
        SELECT hash FROM unnest(value_of, hashes) AS brought(place, hash) WHERE place = ANY (places));
      INSERT INTO ${s}.blob(hash, utf8)
        SELECT DISTINCT ON (hash) hash, utf8 FROM unnest(value_of, hashes, utf8s) AS brought(place, hash, utf8)
        WHERE place = ANY (places) ORDER BY hash
        ON CONFLICT (hash) DO NOTHING;
    END IF;

    IF cardinality(summaries) > 0 THEN
      UPDATE ${s}.run SET
        pipeline = said->>'pipeline', fingerprint = said->>'fingerprint', status = said->>'status',
        created = (said->>'createdAt')::bigint, updated = (said->>'updatedAt')::bigint,
        pico_usd = (said->>'picoUsd')::numeric, input_tokens = (said->>'inputTokens')::bigint,
        output_tokens = (said->>'outputTokens')::bigint, calls = (said->>'calls')::bigint,
        wake_at = (said->>'wakeAt')::bigint,
        heard = CASE WHEN said->>'status' = 'waiting' THEN coalesce((said->>'heard')::bigint, 0) END
      FROM (
        SELECT DISTINCT ON (num) num AS of, said FROM unnest(summary_of, summaries) AS told(place, said)
          JOIN unnest(places, nums) AS owned(place, num) USING (place)
        ORDER BY num, place DESC
      ) AS latest WHERE run.num = latest.of;
    END IF;
    RETURN places;
  END $$;`;

/**
 * Adds one row to the journal of one run, and nothing else: what nearly every commit of a process with one run under way does,
 * in half the time of `append`. False: the fence is not that of its present lease.
 */
const add = (s: string): string => `
  CREATE FUNCTION ${s}.add(run_id text, by bigint, first int, last_one int, said text, synced boolean)
  RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE
    owned bigint;
    expected int;
  BEGIN
    IF NOT synced THEN
      PERFORM set_config('synchronous_commit', 'off', true);
    ELSIF current_setting('synchronous_commit') = 'off' THEN
      PERFORM set_config('synchronous_commit', 'on', true);
    END IF;

    SELECT num INTO owned FROM ${s}.run WHERE id = run_id AND fence = by AND owner IS NOT NULL FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
    SELECT last + 1 INTO expected FROM ${s}.entry WHERE run = owned ORDER BY last DESC LIMIT 1;
    IF first <> coalesce(expected, 0) THEN
      RAISE EXCEPTION 'misplaced' USING ERRCODE = 'FJ001',
        DETAIL = json_build_object('run', run_id, 'seq', first, 'expected', coalesce(expected, 0))::text;
    END IF;
    INSERT INTO ${s}.entry(run, last, body) VALUES (owned, last_one, said);
    RETURN true;
  END $$;`;

/** Keeps a signal. NULL: there is no such run; false: it was there. */
const send = (s: string): string => `
  CREATE FUNCTION ${s}.send(run_id text, signal_id text, said text) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE
    to_run bigint;
  BEGIN
    SELECT num INTO to_run FROM ${s}.run WHERE id = run_id FOR NO KEY UPDATE;
    IF NOT FOUND THEN
      RETURN NULL;
    END IF;
    INSERT INTO ${s}.signal(run, place, id, body)
      SELECT to_run, coalesce(max(place), -1) + 1, signal_id, said FROM ${s}.signal WHERE run = to_run
      ON CONFLICT (run, id) DO NOTHING;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
    UPDATE ${s}.run SET sent = sent + 1 WHERE num = to_run;
    RETURN true;
  END $$;`;

/**
 * Accounts as they stand, shut to all others until the transaction ends; also those that are not there yet. One order for
 * all, so that nobody waits in a ring. A process that stops in between is thrown out by the server after a while.
 */
const accounts = (s: string): string => `
  CREATE FUNCTION ${s}.shut(scopes text[]) RETURNS TABLE(scope text, body text) LANGUAGE plpgsql AS $$
  BEGIN
    PERFORM set_config('idle_in_transaction_session_timeout', '10s', true);
    PERFORM pg_advisory_xact_lock(key) FROM (
      SELECT DISTINCT hashtextextended('${s.replaceAll("'", "''")}' || ' ' || name, 0) AS key FROM unnest(scopes) AS name ORDER BY key
    ) AS keys;
    RETURN QUERY SELECT account.scope, account.body FROM ${s}.account WHERE account.scope = ANY (scopes);
  END $$;

  CREATE FUNCTION ${s}.keep(scopes text[], held int[], bodies text[]) RETURNS void LANGUAGE sql AS $$
    INSERT INTO ${s}.account(scope, holds, body) SELECT * FROM unnest(scopes, held, bodies)
      ON CONFLICT (scope) DO UPDATE SET holds = excluded.holds, body = excluded.body
  $$;`;

/** Removes a run. False: the fence is not that of its present lease. */
const drop = (s: string): string => `
  CREATE FUNCTION ${s}.remove(run_id text, by bigint) RETURNS boolean LANGUAGE plpgsql AS $$
  DECLARE
    gone bigint;
  BEGIN
    DELETE FROM ${s}.run WHERE id = run_id AND fence = by AND owner IS NOT NULL RETURNING num INTO gone;
    IF NOT FOUND THEN
      RETURN false;
    END IF;
    DELETE FROM ${s}.entry WHERE run = gone;
    DELETE FROM ${s}.signal WHERE run = gone;
    RETURN true;
  END $$;`;

/**
 * Marks values, once every commit that may bring one of them and has not seen the mark is over; and removes those that
 * bear it still.
 */
const sweep = (s: string): string => `
  CREATE FUNCTION ${s}.condemn(hashes text[], name text) RETURNS void LANGUAGE plpgsql AS $$
  BEGIN
    LOCK TABLE ${s}.condemned IN SHARE ROW EXCLUSIVE MODE;
    INSERT INTO ${s}.condemned(hash, sweep) SELECT DISTINCT hash, name FROM unnest(hashes) AS hash;
  END $$;

  CREATE FUNCTION ${s}.execute(name text, spared text[]) RETURNS bigint LANGUAGE plpgsql AS $$
  DECLARE
    taken text[];
    removed bigint;
  BEGIN
    DELETE FROM ${s}.condemned WHERE sweep = name AND hash = ANY (spared);
    WITH mine AS (DELETE FROM ${s}.condemned WHERE sweep = name RETURNING hash)
      SELECT coalesce(array_agg(hash), '{}') INTO taken FROM mine;
    DELETE FROM ${s}.blob WHERE hash = ANY (taken);
    GET DIAGNOSTICS removed = ROW_COUNT;
    RETURN removed;
  END $$;`;
