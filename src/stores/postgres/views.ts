/**
 * What anyone with a SQL client can read: see docs/lens.md. Beside the tables, in the plural: `run` is a table, `runs` a view.
 */

/** JSON as Postgres takes it: it refuses NULs and halves of characters, which are shown as U+FFFD. */
const json = (s: string): string => `
  CREATE FUNCTION ${s}.as_json(body text) RETURNS jsonb LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
  BEGIN
    RETURN body::jsonb;
  EXCEPTION WHEN data_exception THEN
    RETURN regexp_replace(
      regexp_replace(body, '\\\\u(0000|[dD][89abAB][0-9a-fA-F]{2}(?!\\\\u[dD][c-fC-F]))', '\\\\uFFFD', 'g'),
      '(?<!\\\\u[dD][89abAB][0-9a-fA-F]{2})\\\\u[dD][c-fC-F][0-9a-fA-F]{2}', '\\\\uFFFD', 'g')::jsonb;
  END $$;`;

/** A value of an entry: from where it is kept aside, when it is. */
const whole = (s: string, field: string): string =>
  `CASE WHEN entry->'${field}'->>'$type' = 'blob'
    THEN (SELECT ${s}.as_json(convert_from(utf8, 'UTF8')) FROM ${s}.blob WHERE hash = entry->'${field}'->>'hash')
    ELSE entry->'${field}' END`;

const moment = (ms: string): string => `to_timestamp(${ms} / 1000.0)`;

const runsView = (s: string): string => `CREATE VIEW ${s}.runs AS
  SELECT id AS run_id, pipeline, fingerprint, status, ${moment("created")} AS created_at, ${moment("updated")} AS updated_at,
    updated - created AS duration_ms, pico_usd, pico_usd / 1e12 AS cost_usd, input_tokens, output_tokens, calls
  FROM ${s}.run WHERE pipeline IS NOT NULL`;

/** Postgres would write through a view of one table. */
const readOnly = (s: string): string => `
  CREATE FUNCTION ${s}.refuse() RETURNS trigger LANGUAGE plpgsql AS $$
  BEGIN
    RAISE EXCEPTION 'nothing can be written through the view %', TG_TABLE_NAME;
  END $$;
  CREATE TRIGGER read_only INSTEAD OF INSERT OR UPDATE OR DELETE ON ${s}.runs
    FOR EACH ROW EXECUTE FUNCTION ${s}.refuse();`;

const entriesView = (s: string): string => `CREATE VIEW ${s}.entries AS
  SELECT run.id AS run_id, (one.entry->>'seq')::int AS seq, one.entry->>'type' AS type, one.entry->>'path' AS path,
    (one.entry->>'at')::bigint AS at_ms, one.entry
  FROM ${s}.run JOIN ${s}.entry ON entry.run = run.num
    CROSS JOIN LATERAL jsonb_array_elements(${s}.as_json(entry.body)) AS one(entry)`;

/** Each reservation with what became of it. A settlement names the reservation it is of. */
const spendView = (s: string): string => `CREATE VIEW ${s}.spend AS
  SELECT run_id, seq, path, model, kind, ${moment("at_ms")} AS reserved_at, ${moment("settled_ms")} AS settled_at,
    settled_ms - at_ms AS duration_ms,
    CASE WHEN settled_ms IS NULL THEN 'held' WHEN released THEN 'released'
      WHEN (settled->>'doubt')::boolean THEN 'in-doubt' ELSE 'settled' END AS standing,
    CASE WHEN released THEN 0 ELSE (amount->>'picoUsd')::numeric END AS pico_usd,
    CASE WHEN released THEN 0 ELSE (amount->>'picoUsd')::numeric / 1e12 END AS cost_usd,
    CASE WHEN released THEN 0 ELSE (amount->>'inputTokens')::bigint END AS input_tokens,
    CASE WHEN released THEN 0 ELSE (amount->>'outputTokens')::bigint END AS output_tokens,
    (kind = 'model-call')::int AS calls, (kind = 'tool-call')::int AS tool_calls, accounts
  FROM (
    SELECT run_id, seq, held->>'path' AS path, held->>'model' AS model, coalesce(held->>'kind', 'model-call') AS kind,
      (held->>'at')::bigint AS at_ms, settled_ms, released, settled, coalesce(settled->'amount', held->'amount') AS amount,
      coalesce(held->'accounts', '[]') AS accounts
    FROM (
      SELECT run_id, coalesce((entry->>'of')::int, seq) AS seq,
        (array_agg(entry) FILTER (WHERE type = 'budget-reserved'))[1] AS held,
        (array_agg(entry) FILTER (WHERE type = 'budget-settled'))[1] AS settled,
        bool_or(type = 'budget-released') AS released,
        max(at_ms) FILTER (WHERE type <> 'budget-reserved') AS settled_ms
      FROM ${s}.entries WHERE type IN ('budget-reserved', 'budget-settled', 'budget-released') GROUP BY 1, 2
    ) AS each WHERE held IS NOT NULL
  ) AS reservations`;

const results = [
  ...["step-completed", "step-failed", "operation-completed", "operation-failed", "container-completed"],
  ...["branch-chosen", "loop-judged", "failure-collected", "signal-received"],
  ...["compensation-completed", "compensation-failed"],
].map((type) => `'${type}'`);

/** The last result of each path. */
const operationsView = (s: string): string => `CREATE VIEW ${s}.operations AS
  SELECT run_id, path, seq, coalesce(entry->>'kind', CASE type WHEN 'branch-chosen' THEN 'branchOn'
      WHEN 'loop-judged' THEN 'decision' WHEN 'failure-collected' THEN 'item'
      WHEN 'compensation-completed' THEN 'compensation' WHEN 'compensation-failed' THEN 'compensation'
      ELSE CASE WHEN is_event THEN 'waitFor' ELSE 'humanInTheLoop' END END) AS kind,
    CASE WHEN type IN ('step-failed', 'operation-failed', 'failure-collected', 'compensation-failed')
      THEN 'failed' ELSE 'completed' END AS status,
    failed_attempts, ${moment("at_ms")} AS ended_at,
    CASE WHEN type = 'step-completed' THEN coalesce((entry->>'took')::bigint, 0)
      ELSE (entry->>'took')::bigint END AS duration_ms,
    coalesce((entry->>'cached')::boolean, false) AS cached,
    CASE type WHEN 'branch-chosen' THEN entry->'key'
      WHEN 'loop-judged' THEN to_jsonb((entry->>'done')::boolean)
      ELSE ${whole(s, "output")} END AS output,
    entry->'error'->>'message' AS error
  FROM (
    SELECT DISTINCT ON (run_id, place) run_id, place AS path, seq, type, entry, at_ms,
      count(*) FILTER (WHERE type IN ('step-failed', 'operation-failed')) OVER of_place AS failed_attempts,
      bool_or(type = 'signal-awaited' AND entry->>'kind' = 'signal') OVER of_place AS is_event
    FROM (
      SELECT *, path || CASE WHEN type LIKE 'compensation-%' THEN '@undo' ELSE '' END AS place FROM ${s}.entries
      WHERE type IN (${results.join()}, 'signal-awaited')
    ) AS results WINDOW of_place AS (PARTITION BY run_id, place) ORDER BY run_id, place, seq DESC
  ) AS latest WHERE type <> 'signal-awaited'`;

/** A part's text, or what was streamed of it: its pieces lie in entries of their own. */
const partText = (s: string, field: string): string => `coalesce(
    (SELECT string_agg(piece.chunk, '' ORDER BY block.at, said.seq, piece.at)
      FROM jsonb_array_elements(answer.entry->'texts') AS streamed
        CROSS JOIN LATERAL jsonb_array_elements(streamed->'from') WITH ORDINALITY AS block(value, at)
        JOIN ${s}.entries AS said ON said.run_id = answer.run_id AND said.type = 'text-streamed'
          AND said.entry->'of' = block.value->0 AND said.entry->'block' = block.value->1
        CROSS JOIN LATERAL jsonb_array_elements_text(said.entry->'chunks') WITH ORDINALITY AS piece(chunk, at)
      WHERE streamed->'at'->>-1 = '${field}' AND streamed->'at'->>-2 = (part.place - 1)::text),
    part.value->>'${field}', '')`;

/** Of a call that was cut off and made anew by another process, what was sent last. So since format 2. */
export const messagesView = (s: string): string => `CREATE OR REPLACE VIEW ${s}.messages AS
  SELECT run_id, path, seq, message.place::int - 1 AS position, 'to' AS direction, message.value->>'role' AS role,
    CASE WHEN message.value->>'tool' IS NULL THEN NULL ELSE 'tool-result' END AS kind,
    message.value->>'tool' AS tool, message.value->>'text' AS text
  FROM (
    SELECT DISTINCT ON (run_id, path) run_id, path, seq, ${whole(s, "sent")} AS sent FROM ${s}.entries
    WHERE type = 'budget-reserved' AND entry->'sent' IS NOT NULL ORDER BY run_id, path, seq DESC
  ) AS asked
    CROSS JOIN LATERAL jsonb_array_elements(asked.sent) WITH ORDINALITY AS message(value, place)
  WHERE jsonb_typeof(asked.sent) = 'array'
  UNION ALL
  SELECT run_id, path, seq, part.place::int - 1, 'from', 'assistant',
    CASE part.value->>'type' WHEN 'text' THEN NULL ELSE part.value->>'type' END,
    coalesce(part.value->>'name', part.value->>'toolName'),
    CASE part.value->>'type' WHEN 'tool-call' THEN ${partText(s, "input")} ELSE ${partText(s, "text")} END
  FROM (
    SELECT run_id, path, seq, entry, ${whole(s, "output")} AS output FROM ${s}.entries
    WHERE type = 'operation-completed' AND entry->>'kind' = 'model-call'
  ) AS answer
    CROSS JOIN LATERAL jsonb_array_elements(coalesce(
      CASE jsonb_typeof(answer.output->'parts') WHEN 'array' THEN answer.output->'parts' END,
      CASE jsonb_typeof(answer.output->'result'->'content') WHEN 'array' THEN answer.output->'result'->'content' END,
      '[]')) WITH ORDINALITY AS part(value, place)
  WHERE part.value->>'type' IN ('text', 'reasoning', 'tool-call')`;

export const views = (s: string): string =>
  `${json(s)}\n${[runsView, entriesView, spendView, operationsView, messagesView].map((view) => view(s)).join(";\n")};
  ${readOnly(s)}`;
