import { useQuery } from "@tanstack/react-query";
import type { Json } from "../../../src/core/json.ts";
import type { RunView } from "../../../src/lens/show.ts";
import { get, pathOf } from "../wire/http.ts";

/** A pipeline that is served here. */
export interface PipelineView {
  readonly name: string;
  readonly fingerprint: string;
  /** Null where it takes anything. */
  readonly inputSchema: Json;
  readonly budget: RunView["limits"] | null;
}

export const usePipelines = () =>
  useQuery({
    queryKey: ["pipelines"],
    queryFn: ({ signal }) => get<{ readonly pipelines: readonly PipelineView[] }>("/pipelines", signal),
  });

export const usePipeline = (name: string) =>
  useQuery({
    queryKey: ["pipeline", name],
    queryFn: ({ signal }) =>
      get<{ readonly pipeline: PipelineView; readonly graph: Json }>(pathOf("pipelines", name), signal),
  });
