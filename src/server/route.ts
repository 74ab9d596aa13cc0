/**
 * A route of the API as data: from it come what the app does, what the OpenAPI document says, who may call it, and what
 * the tests hold it to.
 */
import type { Context, Hono } from "hono";
import type { ContentfulStatusCode } from "hono/utils/http-status";
import type { Static, TSchema } from "typebox";
import Value from "typebox/value";
import { type Door, needs } from "./access.ts";
import { type Admitted, type Caller, callerOf } from "./caller.ts";
import { Refusal } from "./letter.ts";
import type { Role } from "./roles.ts";

export interface RouteTerms {
  readonly method: "get" | "post";
  /** Under the API's own: `/runs/{runId}`. */
  readonly path: string;
  /** What clients made from the document call it. */
  readonly name: string;
  readonly summary: string;
  readonly tag: string;
  readonly role: Role;
  readonly params?: TSchema;
  readonly query?: TSchema;
  readonly body?: TSchema;
  /** What comes back, by status. */
  readonly answers: { readonly [status: number]: RouteAnswer };
  /** The statuses of letters that this route sends beside those that every route may. */
  readonly refusals?: readonly number[];
}

export interface RouteAnswer {
  readonly says: string;
  /** Absent: no body. */
  readonly schema?: TSchema;
  /** Server-sent events, whose data is of the schema. */
  readonly stream?: boolean;
}

/** What a route was asked, checked. */
export interface Asked<Params, Query, Body> {
  readonly params: Params;
  readonly query: Query;
  readonly body: Body;
  readonly caller: Caller;
  readonly c: Context<Admitted>;
}

export interface Route extends RouteTerms {
  readonly handle: (asked: Asked<unknown, unknown, unknown>) => Promise<Response>;
}

type Of<T> = T extends TSchema ? Static<T> : undefined;

export function route<const Terms extends RouteTerms>(
  terms: Terms,
  handle: (asked: Asked<Of<Terms["params"]>, Of<Terms["query"]>, Of<Terms["body"]>>) => Promise<Response>,
): Route {
  // Whoever calls it has checked what it is given by these very schemas.
  return { ...terms, handle: handle as Route["handle"] };
}

/** Puts routes into an app. */
export function serve(routes: readonly Route[], hono: Hono<Admitted>, door: Door): void {
  for (const { method, path, role, params, query, body, handle } of routes) {
    hono.on(method.toUpperCase(), path.replace(/\{(\w+)\}/g, ":$1"), needs(role, door), async (c) =>
      handle({
        params: params && fitting(params, c.req.param(), "path"),
        query: query && fitting(query, queryOf(c, query), "query"),
        body: method === "post" ? await bodyOf(c, body) : undefined,
        caller: callerOf(c),
        c,
      }),
    );
  }
}

/** @param status of the letter when it does not fit. */
function fitting(
  schema: TSchema,
  given: unknown,
  where: string,
  status: ContentfulStatusCode = 400,
): unknown {
  if (Value.Check(schema, given)) return given;
  const complaints = Value.Errors(schema, given)
    .filter(({ keyword }) => keyword !== "boolean") // of a field too many, which is named
    .map(({ instancePath, message, params }) => {
      const extra = "additionalProperties" in params ? `: ${String(params.additionalProperties)}` : "";
      return `${instancePath.replace(/^\//, "").replaceAll("/", ".")} ${message}${extra}`.trim();
    });
  throw new Refusal(
    status,
    "invalid-request",
    `the ${where} of the request does not fit: ${[...new Set(complaints)].slice(0, 5).join("; ")}`,
    "GET /api/v1/openapi.json says what each request takes.",
  );
}

/** The fields of a query: texts as numbers and truths, where the schema wants those. */
function queryOf(c: Context, schema: TSchema): unknown {
  const properties = "properties" in schema ? (schema.properties as { [name: string]: TSchema }) : {};
  const fields = Object.entries(c.req.queries()).map(([name, texts]) => [
    name,
    Object.hasOwn(properties, name) && "items" in (properties[name] as TSchema) ? texts : texts.at(-1),
  ]);
  return Value.Convert(schema, Object.fromEntries(fields));
}

/** JSON, said to be JSON: which no page of another origin can make a browser send without asking. */
async function bodyOf(c: Context, schema: TSchema | undefined): Promise<unknown> {
  const type = c.req.header("content-type") ?? "";
  if (!/^application\/json\s*(;|$)/i.test(type)) {
    throw new Refusal(
      415,
      "not-json",
      "the request has no body of JSON",
      "Send Content-Type: application/json.",
    );
  }
  const text = await c.req.text();
  if (schema === undefined && text === "") return undefined;
  try {
    const json: unknown = JSON.parse(text);
    return schema === undefined ? undefined : fitting(schema, json, "body", 422);
  } catch (error) {
    if (error instanceof Refusal) throw error;
    throw new Refusal(400, "not-json", "the body of the request is not JSON");
  }
}
