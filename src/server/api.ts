/** The API: all its routes, and the document that describes them. */
import { readFileSync } from "node:fs";
import { Hono } from "hono";
import Type from "typebox";
import type { Door } from "./access.ts";
import type { Admitted } from "./caller.ts";
import type { House } from "./house.ts";
import { openapi } from "./openapi.ts";
import { type Route, route, serve } from "./route.ts";
import { actRoutes } from "./routes/act.ts";
import { besidesRoutes } from "./routes/besides.ts";
import { compareRoutes } from "./routes/compare.ts";
import { experimentRoutes } from "./routes/experiments.ts";
import { figureRoutes } from "./routes/figures.ts";
import { followRoutes } from "./routes/follow.ts";
import { forkRoutes } from "./routes/fork.ts";
import { pipelineRoutes } from "./routes/pipelines.ts";
import { runRoutes } from "./routes/run.ts";
import { runsRoutes } from "./routes/runs.ts";
import { scheduleRoutes } from "./routes/schedules.ts";
import { submitRoutes } from "./routes/submit.ts";
import { traceRoutes } from "./routes/trace.ts";

export const apiBase = "/api/v1";

/** Every route there is. */
export function routesOf(house: House): readonly Route[] {
  const routes = [
    runsRoutes,
    submitRoutes,
    runRoutes,
    traceRoutes,
    compareRoutes,
    actRoutes,
    forkRoutes,
    figureRoutes,
    followRoutes,
    pipelineRoutes,
    besidesRoutes,
    scheduleRoutes,
    experimentRoutes,
  ].flatMap((make) => make(house));
  const description = route(
    {
      method: "get",
      path: "/openapi.json",
      name: "getOpenApi",
      summary: "This document",
      tag: "api",
      role: "viewer",
      answers: { 200: { says: "An OpenAPI 3.1 document.", schema: Type.Object({ openapi: Type.String() }) } },
    },
    async ({ c }) => c.json(document()),
  );
  const all = [...routes, description];
  const document = (): ReturnType<typeof openapi> => openapi(all, apiBase, version());
  return all;
}

export function api(house: House, door: Door): Hono<Admitted> {
  const hono = new Hono<Admitted>();
  hono.use(async (c, next) => {
    c.header("Cache-Control", "no-store");
    await next();
  });
  serve(routesOf(house), hono, door);
  return hono;
}

function version(): string {
  const file = new URL(import.meta.resolve("flujo/package.json"));
  return (JSON.parse(readFileSync(file, "utf8")) as { version: string }).version; // our own package.json
}
