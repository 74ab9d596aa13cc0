/** The door of `flujo/testing`: what a store, a pipeline, a budget and Flujo itself are tested with. */
export {
  type CrashingStore,
  type CrashingStoreOptions,
  type CrashPoint,
  crashingStore,
} from "./crash-store.ts";
export { grounded } from "./grounded.ts";
export {
  type Fault,
  type OpenAIServer,
  type OpenAIServerOptions,
  openaiServer,
  type ServedReply,
  type ServedRequest,
} from "./openai-server.ts";
export { type Cast, type CastOptions, type Scene, scene } from "./scene.ts";
export {
  type ScriptedCall,
  type ScriptedModel,
  type ScriptedOptions,
  type ScriptedReply,
  scriptedModel,
} from "./scripted-model.ts";
export { type ImprovingReport, simulateImproving } from "./simulation/improving.ts";
export { type SharedOptions, type SharedReport, simulateShared } from "./simulation/shared.ts";
export { type SimulateOptions, type SimulationReport, simulate } from "./simulation.ts";
export { type DispatcherUnderTest, testDispatcher } from "./test-dispatcher.ts";
export { type FarEnd, type SinkUnderTest, testSink } from "./test-sink.ts";
export { type StoreUnderTest, type TestRunner, testStore } from "./test-store.ts";
export {
  type RunBounds,
  StuckError,
  type VirtualProcess,
  type VirtualWorld,
  type VirtualWorldOptions,
  virtualWorld,
} from "./virtual-world.ts";
export { keptByArgmax, plainArgmax } from "./worlds/baselines/argmax.ts";
export { type BaselineOptions, type BaselineResult, plainGepa } from "./worlds/baselines/gepa.ts";
export {
  type QuickImprovement,
  type QuickImproveOptions,
  quickImprove,
  type Searcher,
} from "./worlds/quick-improve.ts";
export { type QuickLaboratory, quickLaboratory } from "./worlds/quick-laboratory.ts";
export {
  type TaskWorld,
  taskWorld,
  type WorldFamily,
  type WorldOptions,
  type Worth,
  worldFamilies,
} from "./worlds/world.ts";
