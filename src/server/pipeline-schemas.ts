/** What of the API is pipelines as they are served, and their pictures. */
import Type from "typebox";
import type { Json } from "../core/json.ts";
import { Limits } from "./run-schemas.ts";
import { AnyJson, closed, count, Money, named, orNull } from "./schemas.ts";

export const Graph = named(
  "Graph",
  Type.Object(
    {
      graph: orNull(
        Type.Unsafe<Json>({ description: "The tree of the pipeline as it is served here; else null." }),
      ),
      current: Type.Boolean({ description: "Whether that is the version the run was recorded under." }),
      places: Type.Array(
        Type.Object(
          {
            path: Type.String({ description: "`[]` stands for any item or turn." }),
            after: Type.String({ description: "The place before it in its sequence." }),
            operations: Type.Record(Type.String(), count, { description: "How many of each status." }),
            costUsd: Money,
          },
          closed,
        ),
      ),
    },
    closed,
  ),
);

export const Pipeline = named(
  "Pipeline",
  Type.Object(
    {
      name: Type.String(),
      fingerprint: Type.String(),
      inputSchema: orNull(
        Type.Unsafe<Json>({
          description: "JSON Schema (2020-12); null where there is none, or its library makes none.",
        }),
      ),
      budget: orNull(Limits),
    },
    closed,
  ),
);

export const PipelineList = named("PipelineList", Type.Object({ pipelines: Type.Array(Pipeline) }, closed));

export const PipelineDetail = named(
  "PipelineDetail",
  Type.Object({ pipeline: Pipeline, graph: AnyJson }, closed),
);
