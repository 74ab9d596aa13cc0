/** The OpenAPI document, made of the routes themselves. */
import type { TSchema } from "typebox";
import { isJsonObject, type Json, type JsonObject } from "../core/json.ts";
import type { Route, RouteAnswer } from "./route.ts";
import { Letter } from "./schemas.ts";

/** Letters that every route may send. */
const always = [400, 401, 403, 429, 500, 503];
/** Those of routes that take a body. */
const ofBodies = [413, 415, 422];

const refusals: { readonly [status: number]: string } = {
  400: "The request cannot be read.",
  401: "No token, or one that nobody has.",
  403: "The token's role is not enough; or the request comes from a page of another origin.",
  404: "There is no such thing.",
  409: "It cannot be done as things stand.",
  413: "The body is too large.",
  415: "The body is not said to be JSON.",
  422: "What was sent does not fit.",
  429: "Too many requests: `Retry-After` says when to come back.",
  500: "A fault of the server or the store.",
  501: "This server was not given what it takes.",
  502: "The receiver did not take it.",
  503: "The store does not answer, or too many connections follow events: try again.",
};

export function openapi(routes: readonly Route[], base: string, version: string): JsonObject {
  const schemas: Record<string, Json> = {};
  const paths: Record<string, Record<string, Json>> = {};
  for (const route of routes) {
    paths[base + route.path] ??= {};
    Object.assign(paths[base + route.path] as object, { [route.method]: operationOf(route, schemas) });
  }
  return {
    openapi: "3.1.1",
    info: {
      title: "Flujo",
      version,
      description:
        "Start, follow, answer and stop durable runs. Money is an exact decimal of US dollars in a string; moments are ISO dates. Errors are letters: what happened, and what to do next.",
      license: { name: "AGPL-3.0-or-later", identifier: "AGPL-3.0-or-later" },
    },
    security: [{ bearer: [] }, { session: [] }, {}],
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: { type: "http", scheme: "bearer" },
        session: { type: "apiKey", in: "cookie", name: "flujo-session" },
      },
    },
  };
}

function operationOf(route: Route, schemas: Record<string, Json>): Json {
  const { name, summary, tag, role, params, query, body, answers, method } = route;
  const letter = referred(Letter as unknown as Json, schemas); // a schema is JSON
  const statuses = [...always, ...(method === "post" ? ofBodies : []), ...(route.refusals ?? [])];
  const letters = statuses.map((status) => [
    status,
    { description: refusals[status] ?? "", content: { "application/json": { schema: letter } } },
  ]);
  return {
    operationId: name,
    summary,
    description: `Takes the role ${role}.`,
    tags: [tag],
    parameters: [...parametersOf(params, "path", schemas), ...parametersOf(query, "query", schemas)],
    ...(body === undefined
      ? {}
      : {
          requestBody: {
            required: true,
            content: { "application/json": { schema: referred(body as unknown as Json, schemas) } },
          },
        }),
    responses: Object.fromEntries([
      ...Object.entries(answers).map(([status, answer]) => [status, responseOf(answer, schemas)]),
      ...letters,
    ]),
  };
}

function responseOf({ says, schema, stream }: RouteAnswer, schemas: Record<string, Json>): Json {
  if (schema === undefined) return { description: says };
  const type = stream ? "text/event-stream" : "application/json";
  return {
    description: says,
    content: { [type]: { schema: referred(schema as unknown as Json, schemas) } },
  };
}

function parametersOf(schema: TSchema | undefined, where: string, schemas: Record<string, Json>): Json[] {
  const { properties = {}, required = [] } = (schema ?? {}) as {
    properties?: { readonly [name: string]: Json };
    required?: readonly string[];
  };
  return Object.entries(properties).map(([name, property]) => {
    const { description, ...rest } = property as JsonObject;
    return {
      name,
      in: where,
      required: required.includes(name),
      ...(description === undefined ? {} : { description }),
      schema: referred(rest, schemas),
    };
  });
}

/** A schema in which those with a name are referred to; they are listed once. */
function referred(schema: Json, schemas: Record<string, Json>): Json {
  if (Array.isArray(schema)) return schema.map((one) => referred(one, schemas));
  if (!isJsonObject(schema)) return schema;
  const parts = Object.fromEntries(
    Object.entries(schema).map(([key, part]) => [key, referred(part, schemas)]),
  );
  const { title, ...rest } = parts;
  if (typeof title !== "string") return parts;
  schemas[title] = rest;
  return { $ref: `#/components/schemas/${title}` };
}
