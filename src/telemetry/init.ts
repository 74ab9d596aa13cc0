import type { Instrument } from "../ports/instrument.ts";
import { importPackage } from "../ports/optional-package.ts";
import { spanIds } from "./identity.ts";
import { type TelemetryOptions, telemetry } from "./telemetry.ts";

/** What is used of it. */
type NodeSdkPackage = Pick<typeof import("@opentelemetry/sdk-node"), "NodeSDK">;

export interface InitOptions extends TelemetryOptions {
  /** What this application is called in traces. Default: `OTEL_SERVICE_NAME`. */
  readonly serviceName?: string;
  /** Further options of `NodeSDK` of `@opentelemetry/sdk-node`: a sampler, span processors, instrumentations. */
  readonly sdk?: object;
}

/** Telemetry with an SDK of its own. */
export interface InitedTelemetry extends Instrument {
  flush(): Promise<void>;
  /** Sends what is left, and ends the SDK. */
  shutdown(): Promise<void>;
}

/**
 * Sets OpenTelemetry's SDK up for this process and returns the instrument for every `Flujo` in it. Where things go is
 * said in OpenTelemetry's own environment variables; by default to `http://localhost:4318`.
 *
 * ```ts
 * import { initTelemetry } from "flujo/telemetry";
 *
 * const telemetry = await initTelemetry({ serviceName: "reports" });
 * await using flujo = new Flujo(greet, { instrument: telemetry });
 * ```
 *
 * @throws MissingPackageError when `@opentelemetry/sdk-node` is not installed.
 */
export async function initTelemetry(options: InitOptions = {}): Promise<InitedTelemetry> {
  const { serviceName, sdk = {}, ...told } = options;
  const { NodeSDK } = (await importPackage("@opentelemetry/sdk-node")) as unknown as NodeSdkPackage;
  const node = new NodeSDK({
    ...(serviceName === undefined ? {} : { serviceName }),
    idGenerator: spanIds(),
    ...sdk,
  });
  node.start();
  const instrument = telemetry(told);
  const flush = async (): Promise<void> => instrument.flush?.();
  return {
    enter: (run) => instrument.enter(run),
    committed: (runId, entries) => instrument.committed(runId, entries),
    within: (where, work) => instrument.within(where, work),
    leave: (runId) => instrument.leave(runId),
    flush,
    async shutdown() {
      await flush();
      await node.shutdown();
    },
  };
}
