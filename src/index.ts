/** The front door. */
export { agent } from "./agents/agent.ts";
export type { AgentOptions, Example } from "./agents/agent-options.ts";
export type { Prompt, PromptPart } from "./agents/attachments.ts";
export { type EmbedOptions, embed } from "./agents/embed.ts";
export { type GenerateImageOptions, generateImage } from "./agents/generate-image.ts";
export type { Bounds, ImproveTerms } from "./agents/improve-terms.ts";
export { type ModelsOptions, models } from "./agents/models.ts";
export type { PaceLimit, PaceLimits } from "./agents/pace.ts";
export { type Tool, type ToolContext, type ToolOptions, tool } from "./agents/tool.ts";
export { defineConfig, type FlujoConfig } from "./config.ts";
export type { Approval } from "./core/approval.ts";
export type { AskingOptions, Escalation, OnTimeout } from "./core/asking.ts";
export type { QueueLimits, TenantLimits } from "./core/caps.ts";
export {
  branchOn,
  type LoopOptions,
  loopUntil,
  type MapOptions,
  mapOver,
  type PipelineOptions,
  parallel,
  pipeline,
  type Settled,
  step,
} from "./core/compose.ts";
export type {
  Context as StepContext,
  EmbedRequest,
  GeneratedImage,
  GenerateRequest,
  ImageRequest,
  Spending,
} from "./core/context.ts";
export type { Duration } from "./core/duration.ts";
export type { EntryType as EventType } from "./core/entries.ts";
export type { ErrorRecord } from "./core/error-record.ts";
export {
  BudgetExceededError,
  CancelledError,
  type Charge,
  type DatasetFault,
  DeliveryFailedError,
  DispatcherUnavailableError,
  DuplicateKeyError,
  type ErrorFacts,
  type ExceededLimit,
  FlujoError,
  HookFailedError,
  InvalidDatasetError,
  InvalidInputError,
  InvalidOptionError,
  InvalidOutputError,
  InvalidPipelineError,
  InvalidRunIdError,
  LeaseHeldError,
  LeaseLostError,
  LoopLimitError,
  MissingKeyError,
  MissingPackageError,
  ModelCallError,
  type OnLimit,
  OutcomeUnknownError,
  OutOfTimeError,
  type Problem,
  RunEndedError,
  RunExistsError,
  type SignalRefusal,
  SignalRefusedError,
  StateConflictError,
  StepFailedError,
  StoreCorruptError,
  StoreNewerError,
  StoreUnavailableError,
  TimeoutError,
  ToolLoopError,
  UnknownBranchError,
  UnknownModelError,
  UnknownRunError,
  UnpricedModelError,
  UnstorableValueError,
  VersionChangedError,
} from "./core/errors.ts";
export type { RunEvent } from "./core/events.ts";
export { type Budget, decimalUsd, type PicoUsd, type Spent, type Usd } from "./core/limits.ts";
export type { Node } from "./core/node.ts";
export type { Outcome } from "./core/outcome.ts";
export type { Release } from "./core/outline.ts";
export type { Improvables, Overlay } from "./core/overlay.ts";
export {
  type HumanOptions,
  humanInTheLoop,
  sleep,
  sleepUntil,
  type WaitOptions,
  waitFor,
} from "./core/pauses.ts";
export { concat, lastWins, sum, union } from "./core/reducers.ts";
export type { Schema, SchemaOutput } from "./core/schema.ts";
export { daily, type SharedScope } from "./core/scopes.ts";
export type { SettingsTerms, SettingTerms, SettingValues } from "./core/settings.ts";
export type { Reducer, Reducers } from "./core/state.ts";
export type {
  AnyStep,
  BudgetOptions,
  CacheOptions,
  InputOf,
  OutputOf,
  RetryPolicy,
  StateOf,
  Step,
  Undo,
  ValidateOptions,
  Work,
} from "./core/step.ts";
export type { StepOptions } from "./core/work.ts";
export { improvables } from "./engine/improvables.ts";
export type {
  Advanced,
  AdvanceOptions,
  Drained,
  EventsOptions,
  ForkOptions,
  ResumeOptions,
  RunHandle,
  RunResult,
  SignalOptions,
  StartOptions,
  SubmitOptions,
  Submitted,
  SweepOptions,
  Swept,
  Undone,
  VersionPolicy,
} from "./engine/options.ts";
export type {
  CheckOptions,
  Compared,
  Difference,
  Differing,
  ReplayOptions,
  ReplayReport,
} from "./engine/replay/report.ts";
export { withOverlay } from "./engine/with-overlay.ts";
export type { EventOf, Hook, HookContext, HookOptions, HookTable } from "./events/hooks.ts";
export type { DeliveryReport } from "./events/outbox.ts";
export type { Sinks, Subscription } from "./events/subscription.ts";
export { Flujo, type FlujoOptions } from "./flujo.ts";
export type { AnswerLinkOptions } from "./links/answer-links.ts";
export type { FireOptions, ScheduleOptions, Schedules } from "./pipeline-schedules.ts";
export type { Dispatcher, Job, Shift, Taken, Work as Dispatched } from "./ports/dispatcher.ts";
export type { RunStatus, Store } from "./ports/store.ts";
export type { MissedPolicy, OverlapPolicy, ScheduleTerms } from "./schedules/schedule.ts";
export type { TimetableNews } from "./schedules/timetable.ts";
export type { ScheduleView } from "./schedules/view.ts";
