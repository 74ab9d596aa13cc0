/**
 * What anyone with a SQL client can read: see docs/lens.md. Beside the tables, in the plural: `run` is a table, `runs` a view. They are written in the SQL of SQLite 3.37, as the tables are:
 * a client that cannot read one view can read nothing of the file.
 */

/** A value of an entry: from where it is kept aside, when it is. */
const whole = (field: string): string =>
  `CASE WHEN json_extract(entry, '$.${field}."$type"') = 'blob'
    THEN (SELECT CAST(utf8 AS TEXT) FROM blobs WHERE hash = json_extract(entry, '$.${field}.hash'))
    ELSE json_extract(entry, '$.${field}') END`;

/** The same as JSON, whatever it is. */
const wholeJson = (field: string): string =>
  `CASE WHEN json_extract(entry, '$.${field}."$type"') = 'blob'
    THEN (SELECT CAST(utf8 AS TEXT) FROM blobs WHERE hash = json_extract(entry, '$.${field}.hash'))
    ELSE (SELECT CASE WHEN type IN ('true', 'false') THEN type WHEN type IN ('array', 'object') THEN value
      ELSE json_quote(value) END FROM json_each(entry) WHERE key = '${field}') END`;

const iso = (ms: string): string => `strftime('%Y-%m-%dT%H:%M:%fZ', ${ms} / 1000.0, 'unixepoch')`;

const runsView = `CREATE VIEW runs AS
  SELECT id AS run_id, pipeline, fingerprint, status, ${iso("created")} AS created_at, ${iso("updated")} AS updated_at,
    updated - created AS duration_ms, CAST(pico_usd AS INTEGER) AS pico_usd, CAST(pico_usd AS INTEGER) / 1e12 AS cost_usd,
    input_tokens, output_tokens, calls
  FROM run WHERE pipeline IS NOT NULL`;

const entriesView = `CREATE VIEW entries AS
  SELECT run.id AS run_id, json_extract(one.value, '$.seq') AS seq, json_extract(one.value, '$.type') AS type,
    json_extract(one.value, '$.path') AS path, json_extract(one.value, '$.at') AS at_ms, one.value AS entry
  FROM run JOIN entry ON entry.key BETWEEN run.num << 32 AND (run.num << 32) | 4294967295
    JOIN json_each(entry.body) AS one`;

/** Each reservation with what became of it. A settlement names the reservation it is of. */
const spendView = `CREATE VIEW spend AS
  SELECT run_id, seq, path, model, kind, ${iso("at_ms")} AS reserved_at,
    CASE WHEN settled_ms IS NULL THEN NULL ELSE ${iso("settled_ms")} END AS settled_at,
    settled_ms - at_ms AS duration_ms,
    CASE WHEN settled_ms IS NULL THEN 'held' WHEN released THEN 'released'
      WHEN json_extract(settled, '$.doubt') THEN 'in-doubt' ELSE 'settled' END AS standing,
    CASE WHEN released THEN 0 ELSE CAST(json_extract(amount, '$.picoUsd') AS INTEGER) END AS pico_usd,
    CASE WHEN released THEN 0 ELSE CAST(json_extract(amount, '$.picoUsd') AS INTEGER) / 1e12 END AS cost_usd,
    CASE WHEN released THEN 0 ELSE json_extract(amount, '$.inputTokens') END AS input_tokens,
    CASE WHEN released THEN 0 ELSE json_extract(amount, '$.outputTokens') END AS output_tokens,
    kind = 'model-call' AS calls, kind = 'tool-call' AS tool_calls, accounts
  FROM (
    SELECT run_id, seq, json_extract(held, '$.path') AS path, json_extract(held, '$.model') AS model,
      coalesce(json_extract(held, '$.kind'), 'model-call') AS kind, json_extract(held, '$.at') AS at_ms, settled_ms,
      released, settled, coalesce(json_extract(settled, '$.amount'), json_extract(held, '$.amount')) AS amount,
      coalesce(json_extract(held, '$.accounts'), '[]') AS accounts
    FROM (
      SELECT run_id, coalesce(json_extract(entry, '$.of'), seq) AS seq,
        max(CASE type WHEN 'budget-reserved' THEN entry END) AS held,
        max(CASE type WHEN 'budget-settled' THEN entry END) AS settled,
        max(type = 'budget-released') AS released, max(CASE WHEN type <> 'budget-reserved' THEN at_ms END) AS settled_ms
      FROM entries WHERE type IN ('budget-reserved', 'budget-settled', 'budget-released') GROUP BY 1, 2
    ) WHERE held IS NOT NULL
  )`;

const results = [
  ...["step-completed", "step-failed", "operation-completed", "operation-failed", "container-completed"],
  ...["branch-chosen", "loop-judged", "failure-collected", "signal-received"],
  ...["compensation-completed", "compensation-failed"],
].map((type) => `'${type}'`);

/** The last result of each path: with max(), the other columns are those of its row. */
const operationsView = `CREATE VIEW operations AS
  SELECT run_id, path, seq, coalesce(json_extract(entry, '$.kind'), CASE type WHEN 'branch-chosen' THEN 'branchOn'
      WHEN 'loop-judged' THEN 'decision' WHEN 'failure-collected' THEN 'item'
      WHEN 'compensation-completed' THEN 'compensation' WHEN 'compensation-failed' THEN 'compensation'
      ELSE CASE WHEN is_event THEN 'waitFor' ELSE 'humanInTheLoop' END END) AS kind,
    CASE WHEN type IN ('step-failed', 'operation-failed', 'failure-collected', 'compensation-failed') THEN 'failed' ELSE 'completed' END AS status,
    failed_attempts, ${iso("at_ms")} AS ended_at,
    CASE WHEN type = 'step-completed' THEN coalesce(json_extract(entry, '$.took'), 0)
      ELSE json_extract(entry, '$.took') END AS duration_ms,
    coalesce(json_extract(entry, '$.cached'), 0) AS cached,
    CASE type WHEN 'branch-chosen' THEN json_quote(json_extract(entry, '$.key'))
      WHEN 'loop-judged' THEN CASE WHEN json_extract(entry, '$.done') THEN 'true' ELSE 'false' END
      ELSE ${wholeJson("output")} END AS output,
    json_extract(entry, '$.error.message') AS error
  FROM (
    SELECT run_id, path || CASE WHEN type LIKE 'compensation-%' THEN '@undo' ELSE '' END AS path, max(seq) AS seq,
      type, entry, at_ms,
      sum(type IN ('step-failed', 'operation-failed')) AS failed_attempts,
      sum(type = 'signal-awaited' AND json_extract(entry, '$.kind') = 'signal') > 0 AS is_event
    FROM entries WHERE type IN (${results.join()}, 'signal-awaited') GROUP BY 1, 2
  ) WHERE type <> 'signal-awaited'`;

/** A part's text, or what was streamed of it: its pieces lie in entries of their own. */
const partText = (field: string): string => `coalesce(
    (SELECT group_concat(chunk, '') FROM (
      SELECT piece.value AS chunk FROM json_each(answer.entry, '$.texts') AS streamed
        JOIN json_each(streamed.value, '$.from') AS block
        JOIN entries AS said ON said.run_id = answer.run_id AND said.type = 'text-streamed'
          AND json_extract(said.entry, '$.of') = json_extract(block.value, '$[0]')
          AND json_extract(said.entry, '$.block') = json_extract(block.value, '$[1]')
        JOIN json_each(said.entry, '$.chunks') AS piece
      WHERE json_extract(streamed.value, '$.at[#-1]') = '${field}' AND json_extract(streamed.value, '$.at[#-2]') = part.key
      ORDER BY block.key, said.seq, piece.key)),
    json_extract(part.value, '$.${field}'), '')`;

/** Of a call that was cut off and made anew by another process, what was sent last. So since format 8. */
export const messagesView = `CREATE VIEW messages AS
  SELECT run_id, asked.path, seq, message.key AS position, 'to' AS direction, json_extract(message.value, '$.role') AS role,
    CASE WHEN json_extract(message.value, '$.tool') IS NULL THEN NULL ELSE 'tool-result' END AS kind,
    json_extract(message.value, '$.tool') AS tool, json_extract(message.value, '$.text') AS text
  FROM (SELECT run_id, path, seq, ${whole("sent")} AS sent FROM (
      SELECT run_id, path, max(seq) AS seq, entry FROM entries
      WHERE type = 'budget-reserved' AND json_extract(entry, '$.sent') IS NOT NULL GROUP BY 1, 2
    )) AS asked JOIN json_each(asked.sent) AS message
  UNION ALL
  SELECT run_id, answer.path, seq, part.key, 'from', 'assistant',
    CASE json_extract(part.value, '$.type') WHEN 'text' THEN NULL ELSE json_extract(part.value, '$.type') END,
    coalesce(json_extract(part.value, '$.name'), json_extract(part.value, '$.toolName')),
    CASE json_extract(part.value, '$.type') WHEN 'tool-call' THEN ${partText("input")} ELSE ${partText("text")} END
  FROM (
    SELECT run_id, path, seq, entry, ${whole("output")} AS output FROM entries
    WHERE type = 'operation-completed' AND json_extract(entry, '$.kind') = 'model-call'
  ) AS answer
    JOIN json_each(CASE WHEN json_valid(answer.output) THEN coalesce(
      json_extract(answer.output, '$.parts'), json_extract(answer.output, '$.result.content')) END) AS part
  WHERE json_extract(part.value, '$.type') IN ('text', 'reasoning', 'tool-call')`;

/** Under these names since format 7. */
export const views = `${[runsView, entriesView, spendView, operationsView, messagesView].join(";\n")};`;
