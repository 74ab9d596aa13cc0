import Type from "typebox";
import { jsonSchemaOf } from "../../core/fingerprint.ts";
import type { Json } from "../../core/json.ts";
import { graphJson } from "../../lens/graph.ts";
import { limitsView } from "../../lens/show.ts";
import type { House, Service } from "../house.ts";
import { Refusal } from "../letter.ts";
import { PipelineDetail, PipelineList } from "../pipeline-schemas.ts";
import { type Route, route } from "../route.ts";

/** `GET /pipelines`, `GET /pipelines/{name}` */
export const pipelineRoutes = ({ services }: House): readonly Route[] => [
  route(
    {
      method: "get",
      path: "/pipelines",
      name: "listPipelines",
      summary: "What can be started here",
      tag: "pipelines",
      role: "viewer",
      answers: { 200: { says: "The pipelines.", schema: PipelineList } },
    },
    async ({ c }) => c.json({ pipelines: [...services.values()].map(pipelineView) }),
  ),

  route(
    {
      method: "get",
      path: "/pipelines/{name}",
      name: "getPipeline",
      summary: "A pipeline: its places, and what its input has to be",
      tag: "pipelines",
      role: "viewer",
      params: Type.Object(
        { name: Type.String({ minLength: 1, maxLength: 1_000 }) },
        { additionalProperties: false },
      ),
      answers: { 200: { says: "The pipeline.", schema: PipelineDetail } },
      refusals: [404],
    },
    async ({ params: { name }, c }) => {
      const service = services.get(name);
      if (service === undefined) {
        throw new Refusal(
          404,
          "unknown-pipeline",
          `no pipeline named ${JSON.stringify(name)} is served here`,
        );
      }
      return c.json({ pipeline: pipelineView(service), graph: graphJson(service.root.node) });
    },
  ),
];

function pipelineView({ name, fingerprint, root }: Service): Json {
  const schema = root.pipeline.input === undefined ? undefined : jsonSchemaOf(root.pipeline.input, "input");
  return {
    name,
    fingerprint,
    inputSchema: (schema as Json | undefined) ?? null, // what a library calls JSON Schema is JSON
    budget: root.limits === undefined ? null : limitsView(root.limits),
  };
}
