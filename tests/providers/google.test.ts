import { once } from "node:events";
import { mkdtemp, rm } from "node:fs/promises";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { models, tool } from "flujo";
import { afterEach, describe, expect, test, vi } from "vitest";
import * as z from "zod";
import { at, listOf } from "../../src/testing/wire/format.ts";
import { contract } from "./contract.ts";
import { stage } from "./stage.ts";
import { google, type Subject, vertex } from "./subjects.ts";

contract(google);
contract(vertex);

afterEach(() => vi.unstubAllEnvs());

describe("an answer that Gemini offers to continue", () => {
  /** Every answer ends at a limit of the server's own, with a token to go on by. */
  const inParts = (document: object): object => {
    const [candidate] = listOf(at(document, "candidates"));
    if (at(candidate, "finishReason") === undefined) return document;
    const open = { ...(candidate as object), finishReason: "CONTINUATION", continuationToken: "more" };
    return { ...document, candidates: [open] };
  };

  test.each([google, vertex])(
    "$name: ends there, because its one reservation paid for one request",
    async (subject) => {
      await using on = await stage(subject, { reply: () => "the first part", rewrite: inParts });
      const { result } = await on.play(on.agent());
      expect(result).toMatchObject({ output: "the first part", spent: { calls: 1 } });
      expect(on.server.requests).toHaveLength(1);
      expect(result.spent.picoUsd).toBe(on.server.billedPicoUsd);
    },
  );

  test.each([google, vertex])("$name: so does a stream", async (subject) => {
    await using on = await stage(subject, { reply: () => "the first part", rewrite: inParts });
    const parts = await on.stream();
    expect(parts.flatMap((part) => (part.type === "text-delta" ? part.delta : [])).join("")).toBe(
      "the first part",
    );
    expect(parts.at(-1)).toMatchObject({ type: "finish", finishReason: { unified: "length" } });
    expect(on.server.requests).toHaveLength(1);
  });

  test("what only speaks of going on is sent like anything else", async () => {
    const look = tool("look", {
      description: "Looks at a page of a list",
      input: z.object({ continuationToken: z.string() }),
      execute: ({ continuationToken }) => `page ${continuationToken}`,
    });
    await using on = await stage(google, {
      reply: ({ index, text }) =>
        index === 0 ? { toolCalls: [{ name: "look", input: { continuationToken: "2" } }] } : `seen: ${text}`,
    });
    const { result } = await on.play(on.agent({ tools: [look], system: '"continuationToken"' }));
    expect(result).toMatchObject({ output: 'seen: "continuationToken"\nHello\npage 2' });
    expect(on.server.requests).toHaveLength(2);
  });
});

/** A project on Vertex, seen from a machine that has credentials neither of a user nor of its own. */
const noCloud = (origin: string, home: string) => ({
  GOOGLE_VERTEX_API_KEY: "",
  GOOGLE_VERTEX_PROJECT: "my-project",
  GOOGLE_VERTEX_LOCATION: "europe-west1",
  GOOGLE_VERTEX_BASE_URL: `${origin}/v1/projects/my-project/locations/europe-west1/publishers/google`,
  GOOGLE_APPLICATION_CREDENTIALS: "",
  METADATA_SERVER_DETECTION: "none",
  HOME: home,
  APPDATA: home,
});

describe("vertex", () => {
  test("without a key, the credentials of the machine it runs on are used", async () => {
    // What Google Cloud's machines ask for their credentials.
    const metadata = createServer((request, response) => {
      response.setHeader("metadata-flavor", "Google");
      const token = { access_token: "token-of-this-machine", expires_in: 3_600, token_type: "Bearer" };
      response.end(request.url?.includes("/token") ? JSON.stringify(token) : "fine");
    });
    metadata.listen(0, "127.0.0.1");
    await once(metadata, "listening");
    const { port } = metadata.address() as AddressInfo; // a listening TCP server has one
    const home = await mkdtemp(join(tmpdir(), "flujo-home-"));
    const onCloud: Subject = {
      ...vertex,
      environment: (origin) => ({
        ...noCloud(origin, home),
        GCE_METADATA_HOST: `127.0.0.1:${port}`,
        METADATA_SERVER_DETECTION: "assume-present",
      }),
    };
    try {
      await using on = await stage(onCloud);
      const { result } = await on.play(on.agent());
      expect(result).toMatchObject({ output: "ok", spent: { picoUsd: on.server.billedPicoUsd } });
      expect(on.server.requests[0]?.headers.authorization).toBe("Bearer token-of-this-machine");
      expect(on.server.requests[0]?.path).toContain("/projects/my-project/locations/europe-west1/");
    } finally {
      metadata.close();
      await rm(home, { recursive: true });
    }
  });

  test("without any credentials, the call is not made and costs nothing", async () => {
    const home = await mkdtemp(join(tmpdir(), "flujo-home-"));
    try {
      await using on = await stage({ ...vertex, environment: (origin) => noCloud(origin, home) });
      const { result } = await on.play(on.agent());
      expect(result).toMatchObject({
        error: { code: "model-call-failed", hint: expect.stringContaining("GOOGLE_APPLICATION_CREDENTIALS") },
        spent: { picoUsd: 0n },
      });
      expect(on.server.requests).toEqual([]);
    } finally {
      await rm(home, { recursive: true });
    }
  });

  test("has the prices Google publishes for Gemini", async () => {
    vi.stubEnv("GOOGLE_VERTEX_API_KEY", "x");
    vi.stubEnv("GOOGLE_GENERATIVE_AI_API_KEY", "x");
    const [one, other] = await Promise.all(
      ["vertex:gemini-2.5-flash", "google:gemini-2.5-flash"].map((name) => models().find(name)),
    );
    expect(one?.rates()).toBeDefined();
    expect(one?.rates()).toEqual(other?.rates());
  });
});
