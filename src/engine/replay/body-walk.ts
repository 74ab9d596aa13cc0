/** The bodies of steps and agents, run again on what is recorded. */
import { decode } from "../../core/codec.ts";
import type { Entry, EntryOf, Ref } from "../../core/entries.ts";
import { isTest } from "../../core/fingerprint.ts";
import type { Json } from "../../core/json.ts";
import type { WorkNode } from "../../core/node.ts";
import type { Path } from "../../core/paths.ts";
import type { Completed } from "../../core/run-record.ts";
import { check } from "../../core/schema.ts";
import { settingsOf } from "../../core/settings.ts";
import { equal } from "../../core/state.ts";
import type { World } from "../../ports/world.ts";
import type { Expectation } from "../expectation.ts";
import type { Frame } from "../frame.ts";
import { fittingOutput } from "../nodes/work.ts";
import type { Rehearsal } from "../rehearsal.ts";
import type { Tenure } from "../tenure.ts";
import { fetchJson, keep, open, type Value } from "../values.ts";
import { Delivery, type Stuck } from "./delivery.ts";
import { brief, type Findings } from "./findings.ts";
import type { Attempted } from "./operations.ts";
import { Records } from "./records.ts";
import type { ReplayOptions } from "./report.ts";
import { WalkedContext } from "./walked-context.ts";

/** A place that reaches nothing outside. */
export interface Enclosure {
  /** Does work in there; `onCall` hears what it tried to call. */
  within<T>(work: () => T, onCall: (what: string) => void): T;
  /** Does what belongs to the replay itself out of there: its store is read so. */
  outside<T>(work: () => T): T;
}

/** What a replay has at hand to run bodies again. */
export interface Stage {
  readonly entries: readonly Entry[];
  readonly findings: Findings;
  /** Its clock tells when a body waits for what never comes. */
  readonly world: Pick<World, "timer">;
  readonly enclosure: Enclosure;
  readonly bodies: NonNullable<ReplayOptions["bodies"]>;
}

export class BodyWalk implements Rehearsal {
  readonly #stage: Stage;
  readonly #records: Records;

  constructor(stage: Stage) {
    this.#stage = stage;
    this.#records = new Records(stage.entries);
  }

  async finished(node: WorkNode, path: Path, input: Value, frame: Frame): Promise<void> {
    const entry = this.#records.completions.get(path);
    if (entry === undefined) return;
    const { findings } = this.#stage;
    if (!isSame(entry.in, input.ref)) {
      findings.differ(path, "input", `entry ${brief(asJson(entry.in))}`, `entry ${brief(asJson(input.ref))}`);
      throw findings.stop(path);
    }
    if (entry.cached) return;
    await this.#recheck(node, path, entry, frame);
    const attempt = this.#records.attemptOf(node, entry);
    const { bodies } = this.#stage;
    const hasOperations = this.#records.operations.has(attempt.prefix);
    if (node.kind === "agent" || bodies === "all" || (bodies === "durable" && hasOperations)) {
      await this.#walk(node, path, input, frame, attempt);
    } else findings.notRun.push(path);
  }

  async answered({ path, kind, schema, words }: Expectation, tenure: Tenure): Promise<void> {
    const { findings } = this.#stage;
    const asked = tenure.run.awaited.get(path);
    if (asked !== undefined && kind === "human") {
      findings.compared.decisions += 1;
      const { prompt } = await words();
      if (prompt !== asked.prompt) findings.differ(path, "question", asked.prompt, prompt);
    }
    const taken = this.#records.answers.get(path);
    const signal = (await tenure.mail.at(path)).find(({ id }) => id === taken?.id);
    const given = signal === undefined ? undefined : await check(schema, decode(signal.data));
    if (given?.ok === false) {
      findings.differ(path, "answer", brief(signal?.data), `it does not fit: ${given.issues.join("; ")}`);
    }
  }

  /** What passed today's checks would pass them again, where they only look. */
  async #recheck(
    node: WorkNode,
    path: Path,
    { output }: EntryOf<"step-completed">,
    frame: Frame,
  ): Promise<void> {
    const { output: schema, kind } = node;
    const changing = frame.checks.findLastIndex((one) => !one.isTest); // those before it have seen another value
    const tests = frame.checks.slice(changing + 1);
    const hasTest = changing < 0 && schema !== undefined && kind === "step" && isTest(schema);
    if (!hasTest && tests.length === 0) return;
    const value = await open(output, frame.tenure.store);
    try {
      if (hasTest) await fittingOutput(schema, value, path);
      for (const one of tests) await one.apply(value, path);
    } catch (error) {
      this.#stage.findings.differ(path, "output", brief(output), messageOf(error));
      throw this.#stage.findings.stop(path);
    }
  }

  async #walk(node: WorkNode, path: Path, input: Value, frame: Frame, attempt: Attempted): Promise<void> {
    const { findings, world } = this.#stage;
    const { order, late, kinds } = this.#records.operations.of(attempt);
    const delivery = new Delivery(order, late, world, (overtaken) =>
      findings.differ(overtaken, "order", "done before others", "asked for after they were done"),
    );
    const { prefix, number } = attempt;
    const asker = { operation: this.#operationAsker(kinds), call: this.#callAsker() };
    const settings = settingsOf(node);
    const context = new WalkedContext({ frame, path, number, prefix, settings, delivery, asker });
    findings.compared.bodies += 1;
    const before = findings.differences.length;
    try {
      const run = this.#run(node, path, input, frame, context);
      const outcome = await Promise.race([run, delivery.stuck]);
      if ("missing" in outcome) throw this.#stuck(path, outcome);
      if ("failure" in outcome) {
        findings.differ(path, "failure", "no failure", messageOf(outcome.failure));
        throw findings.stop(path);
      }
      for (const left of delivery.left) {
        findings.differ(left, "operation", kinds.get(left) ?? "", "not asked for");
      }
      const told = findings.differences.length > before;
      if (!told && (node.kind === "agent" || this.#stage.bodies === "all")) {
        await this.#compareResult(node, path, outcome.value, context, frame);
      }
    } finally {
      delivery.end();
    }
  }

  /** The body, as an attempt runs it. */
  async #run(
    node: WorkNode,
    path: Path,
    input: Value,
    frame: Frame,
    context: WalkedContext,
  ): Promise<{ readonly value: unknown } | { readonly failure: unknown }> {
    const { findings, enclosure } = this.#stage;
    const refused = (what: string): void => findings.differ(path, "outside-call", "nothing of it", what);
    try {
      const given = decode(await fetchJson(input.json, frame.tenure.store));
      const fitting =
        node.input === undefined ? { ok: true as const, value: given } : await check(node.input, given);
      if (!fitting.ok) throw new Error(`its input does not fit: ${fitting.issues.join("; ")}`);
      // The builder's types tie input to work; nodes have forgotten them.
      return { value: await enclosure.within(() => node.work(fitting.value as never, context), refused) };
    } catch (failure) {
      return { failure };
    }
  }

  #stuck(path: Path, { missing, late }: Stuck): Error {
    const { findings } = this.#stage;
    for (const one of late) findings.differ(one, "operation", "not waited for", "waited for");
    if (missing.length > 0) for (const one of missing) findings.end(one, "operation-completed");
    else if (late.length === 0)
      findings.differ(path, "failure", "it came to an end", "it does not come to an end");
    return findings.stop(path);
  }

  #operationAsker(kinds: ReadonlyMap<Path, string>): (path: Path, kind: string) => void {
    const { findings } = this.#stage;
    return (path, kind) => {
      findings.compared.operations += 1;
      const recorded = kinds.get(path);
      if (recorded !== undefined && recorded !== kind) findings.differ(path, "operation", recorded, kind);
    };
  }

  /** Tells only the first request of a body that differs: those after it have it in their conversation. */
  #callAsker(): (path: Path, quote: { readonly model: string; readonly asked?: string }) => void {
    const { findings } = this.#stage;
    let told = false;
    return (path, { model, asked }) => {
      const reserved = this.#records.reservations.get(path) ?? [];
      const [first] = reserved;
      if (told || first === undefined) return;
      const isKnown = asked !== undefined && first.asked !== undefined;
      if (isKnown) findings.compared.requests += 1;
      else findings.unknownRequests.push(path);
      if (first.model !== model) findings.differ(path, "model", first.model, model);
      else if (!isKnown || reserved.some((one) => one.asked === asked)) return;
      else findings.differ(path, "request", "as recorded", otherParts(first.asked as string, asked)); // it is known
      told = true;
    };
  }

  async #compareResult(
    node: WorkNode,
    path: Path,
    returned: unknown,
    context: WalkedContext,
    frame: Frame,
  ): Promise<void> {
    const { findings } = this.#stage;
    const { store, run } = frame.tenure;
    const done = run.completed.get(path) as Completed; // it is finished
    let value = returned;
    try {
      if (node.output !== undefined && node.kind === "step")
        value = await fittingOutput(node.output, value, path);
      for (const one of frame.checks) value = await one.apply(value, path);
      const now = keep(value, `output of ${path}`, path).json;
      const recorded = await fetchJson(done.output, store);
      if (!equal(recorded, now)) findings.differ(path, "output", brief(recorded), brief(now));
      const [was, is] = [done.state ?? [], context.changes() ?? []].map((patch) => patch as unknown as Json); // patches are JSON
      if (!equal(was as Json, is as Json)) findings.differ(path, "state", brief(was), brief(is));
    } catch (error) {
      findings.differ(path, "output", brief(done.output), messageOf(error));
    }
  }
}

const parts = ["system prompt", "messages", "tools", "settings"];

/** "another system prompt, other tools": by the parts of two marks. */
function otherParts(before: string, now: string): string {
  const [was, is] = [before.split("."), now.split(".")];
  const other = parts.filter((_, i) => was[i] !== is[i]);
  return `other: ${other.join(", ")}`;
}

const isSame = (a: Ref | undefined, b: Ref): boolean => JSON.stringify(a) === JSON.stringify(b);
const asJson = (ref: Ref | undefined): Json | undefined => ref as Json | undefined; // numbers and keys
const messageOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));
