/** What goes to a server and comes back, as types. Moments are ISO dates; money is an exact decimal of US dollars in a text. */
import type { Entry } from "../core/entries.ts";
import type { Json } from "../core/json.ts";
import type { Budget, Usd } from "../core/limits.ts";
import type { Path } from "../core/paths.ts";
import type { RunStatus } from "../core/run-record.ts";
import type { Costs } from "../lens/costs.ts";
import type { RunLine } from "../lens/list.ts";
import type { OperationLine, RunView } from "../lens/show.ts";
import type { Stats } from "../lens/stats.ts";
import type { TracedOperation } from "../lens/trace.ts";
import type { VersionView } from "../lens/versions.ts";

export type { ReplayOptions, ReplayReport } from "../engine/replay/report.ts";
export type {
  CasePage,
  ComparisonView,
  ExperimentLine,
  ExperimentPage,
  ExperimentView,
  PairPage,
} from "../evals/views/view.ts";
export type { Undelivered } from "../events/undelivered.ts";
export type { AccountView } from "../lens/accounts.ts";
export type { EventView } from "../lens/event.ts";
export type { Inbox, InboxItem } from "../lens/inbox.ts";
export type { RunLine } from "../lens/list.ts";
export type { OperationLine, RunView } from "../lens/show.ts";
export type { OperationDetail, TracedOperation } from "../lens/trace.ts";
export type { VersionDiff, VersionView } from "../lens/versions.ts";
export type { Budget, Entry, Json, Path, RunStatus, Usd };

export interface StartRequest {
  readonly pipeline: string;
  readonly input?: unknown;
  /** 1 to 128 letters, digits, `.`, `_`, `-`. The same id again starts nothing. Default: a fresh one. */
  readonly runId?: string;
  /** The run's limit: `"$0.50"`, or several. */
  readonly budget?: Usd | Budget;
  /** Shared budgets that the run is charged to. */
  readonly scopes?: readonly string[];
}

/** A run for whichever worker takes it. */
export interface SubmitRequest extends StartRequest {
  /** Which workers may take it. 1 to 100 letters, digits, dots, dashes and underscores. Default `"default"`. */
  readonly queue?: string;
  /** From 0 to 1,000; higher ones go first. Default 0. */
  readonly priority?: number;
  /** For whom it is: tenants take turns. As a queue is written. */
  readonly tenant?: string;
  /** How long from now it is not to begin: `"10m"`. */
  readonly delay?: string;
}

export interface ForkRequest {
  /** The point: a place, as `/q3/AnalyseAll[Alpha]/summarise`, or an operation inside a body, as `/q3/report:call#1`. */
  readonly at: Path;
  /** The new run's id. The same again starts nothing. Default: a fresh one. */
  readonly runId?: string;
  /** The input of the place at the point, instead of what comes before it. */
  readonly input?: unknown;
  /** Of the agent at the point, for the new run. */
  readonly prompt?: string;
  readonly system?: string;
  readonly model?: string;
  /** A JSON Patch (RFC 6902) over the `agents` of `improvables`, applied before the others. */
  readonly overlay?: readonly object[];
  /** The new run's limit: what the shared part cost is no part of it. Default: the pipeline's. */
  readonly budget?: Usd | Budget;
  /** Share also what is recorded of places that have changed since. */
  readonly forceVersion?: boolean;
}

/** What a fork can change of a run's agents. */
export interface ImprovablesView {
  /** Prompts, models and settings, by the agent's place: `/q3/AnalyseAll[]/summarise`. */
  readonly agents: { readonly [place: Path]: Json };
  /** The agent that the path asked for is of. */
  readonly at: Path | null;
  /** Whether that is the version the run was recorded under. */
  readonly current: boolean;
}

/** How a run stands right after something was done to it. */
export interface Acted {
  readonly runId: string;
  readonly pipeline: string;
  readonly status: RunStatus;
  /** The number that its next event will have. */
  readonly next: number;
}

export interface Submitted extends Acted {
  /** Why the engine could not be told, where there is one: workers find the run in the store, a little later. */
  readonly untold: string | null;
}

export interface RunFilter {
  readonly status?: readonly RunStatus[];
  readonly pipeline?: string;
  readonly idPrefix?: string;
  readonly createdFrom?: Date;
  readonly createdBefore?: Date;
  /** Whether trials of experiments are among them. Default true. Without them a page may be short, and not the last one. */
  readonly trials?: boolean;
  /** Runs on a page: 1 to 1,000. Default 100. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

export interface RunPage {
  readonly runs: readonly RunLine[];
  /** The cursor of the next page; null on the last one. */
  readonly next: string | null;
}

export interface RunDetail {
  readonly run: RunView;
  /** Who advances it now, as far as the store knows. */
  readonly advancedBy: string | null;
  /** Whether it can be resumed at this server. */
  readonly served: boolean;
  /** How many there are. */
  readonly operations: number;
  /** The number that its next event will have. */
  readonly next: number;
}

export interface OperationPage {
  readonly operations: readonly OperationLine[];
  readonly total: number;
  /** The `from` of the next page; null on the last one. */
  readonly next: number | null;
}

/** A part of a run's trace. */
export interface TracePage {
  /** Outer ones first, in the order they began: depth first. */
  readonly operations: readonly TracedOperation[];
  readonly total: number;
  /** The `from` of the next page; null on the last one. */
  readonly next: number | null;
}

export interface EntryPage {
  readonly entries: readonly Entry[];
  readonly next: number | null;
}

/** The places of a run's pipeline, and how far each is. */
export interface RunGraph {
  /** The tree of the pipeline as it is served; null where it is not. */
  readonly graph: Json;
  /** Whether that is the version the run was recorded under. */
  readonly current: boolean;
  readonly places: readonly {
    /** `[]` stands for any item or turn. */
    readonly path: Path;
    /** The place before it in its sequence. */
    readonly after: string;
    /** How many of each status. */
    readonly operations: { readonly [status: string]: number };
    readonly costUsd: string;
  }[];
}

export interface ExperimentFilter {
  /** Only experiments that try this pipeline; on the dataset of this name. */
  readonly pipeline?: string;
  readonly dataset?: string;
  /** Experiments on a page: 1 to 100. Default 30. */
  readonly limit?: number;
  /** `next` of the page before. */
  readonly cursor?: string;
}

/** Which cases of an experiment are asked for. */
export interface CaseFilter {
  readonly from?: number;
  /** 1 to 1,000. Default 100. */
  readonly limit?: number;
  readonly tag?: string;
}

/** Which runs figures are of. */
export interface FigureFilter {
  readonly pipeline?: string;
  readonly createdFrom?: Date;
  readonly createdBefore?: Date;
  /** Only so many of them, the newest: 1 to 10,000. Default 1,000. */
  readonly newest?: number;
  /** Whose days: an IANA name. Default `UTC`. */
  readonly timeZone?: string;
}

/** Whether no older run that fits was left out. */
interface Extent {
  readonly all: boolean;
}
export type StatsView = Stats & Extent;
export type CostsView = Costs & Extent;
export type VersionsView = { readonly versions: readonly VersionView[] } & Extent;

export interface PipelineView {
  readonly name: string;
  readonly fingerprint: string;
  /** JSON Schema; null where the pipeline has none, or its library makes none. */
  readonly inputSchema: Json;
  readonly budget: RunView["limits"] | null;
}

/** What was sent again, and what came of it. */
export interface ResentLetter {
  readonly id: string;
  readonly outcome: "delivered" | "busy" | "lost" | "failed";
  readonly why: string | null;
}
