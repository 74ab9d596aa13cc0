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
export { type SharedOptions, type SharedReport, simulateShared } from "./simulation/shared.ts";
export { type SimulateOptions, type SimulationReport, simulate } from "./simulation.ts";
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
