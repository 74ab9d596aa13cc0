/** Options that several commands take: in the same words, within the same bounds. */
import { type Command, InvalidArgumentError, Option } from "commander";
import { engineKinds } from "./engines.ts";

const kinds = "sqlite:PATH, file:DIR, postgres://HOST/DATABASE, redis://HOST";
const unsaid = "(default: FLUJO_STORE, flujo.config.ts, sqlite:.flujo/flujo.db)";

/** Of a store that is there already. */
export const storeOption = (): Option => new Option("--store <uri>", `${kinds} ${unsaid}`);

/** Of one that may be made for what the command does. */
export const anyStoreOption = (): Option => new Option("--store <uri>", `${kinds}, memory: ${unsaid}`);

/** @param more which document it is: `about the run`. */
export const jsonOption = (more?: string): Option =>
  new Option("--json", more === undefined ? "print one JSON document" : `print one JSON document ${more}`);

export const inputJsonOption = (): Option => new Option("--input-json <json>", "the input as JSON");

export const inputOption = (): Option =>
  new Option("--input <text>", "the input: a text; @FILE for a file's text; - for standard input");

export const stateOption = (): Option =>
  new Option("--state-json <json>", "fields of the initial state, as a JSON object");

export const runIdOption = (): Option => new Option("--run-id <id>", "the run's id (default: a new one)");

export const budgetOption = (): Option =>
  new Option("--budget <amount>", "the most it may cost: '$0.50' (in single quotes)");

export const scopeOption = (): Option =>
  new Option("--scope <name...>", "shared budgets it is charged to, too: tenant:acme");

/** What hands runs to workers. */
export const engineOption = (): Option =>
  new Option("--engine <uri>", `${engineKinds} (default: FLUJO_ENGINE, flujo.config.ts, the store alone)`);

export const graceOption = (): Option =>
  new Option("--grace <duration>", "how long operations may take to finish on SIGTERM").default("30s");

/** Of a command that goes on for as long as it lives. */
export const linesOption = (): Option =>
  new Option("--json", "print a line of JSON for each happening, on standard output");

export const pipelineOption = (): Option => new Option("--pipeline <name>", "only runs of this pipeline");

export const quietOption = (): Option => new Option("--quiet", "no progress");

export const yesOption = (): Option => new Option("--yes", "ask nothing");

export const hostOption = (): Option =>
  new Option("--host <address>", "where it listens (default: flujo.config.ts, 127.0.0.1)");

/** Read by `queuesOf`. */
export const queuesOption = (standard: string): Option =>
  new Option("--queues <names>", "takes runs of these queues: mail,reports; '*': of all").default(standard);

/** @param what is done with the export of a file: `to run`. */
export const exportOption = (what: string): Option =>
  new Option("--export <name>", `the export ${what} (default: default, or pipeline)`);

/** @param what the limit is of: `the most tokens each run may use`. */
export const maxTokensOption = (what = "the most tokens it may use"): Option =>
  new Option("--max-tokens <count>", `${what}, in and out: 1000, 500k, 2M`);

/** Where the pipeline of a run is now. */
export interface OriginFlags {
  readonly file?: string;
  readonly export?: string;
}

/** The store that a run is in, and where its pipeline is. */
export const ofRun = (
  command: Command,
  file = "where the pipeline is now (default: where the run came from)",
): Command =>
  command
    .option("--file <file>", file)
    .option("--export <name>", "its export there")
    .addOption(storeOption());

/** How a run is advanced. */
export interface AdvanceFlags {
  readonly json?: boolean;
  readonly quiet?: boolean;
  /** False: nobody is asked at the terminal. */
  readonly ask?: boolean;
  /** Stay until the run is done, whatever it waits for. */
  readonly wait?: boolean;
}

/** Adds the options of every command that advances a run. */
export const advancing = (command: Command): Command =>
  command
    .addOption(jsonOption("about the run"))
    .addOption(quietOption())
    .option("--no-ask", "leave a run waiting that asks a person, also at a terminal")
    .option("--wait", "stay until the run is done: wait for answers, events and moments");

/** Reads a whole number of at least so much. */
export const wholeNumber =
  (least: 0 | 1) =>
  (text: string): number => {
    const value = Number(text);
    if (Number.isSafeInteger(value) && value >= least) return value;
    throw new InvalidArgumentError(`It takes a whole number from ${least}.`);
  };
