import { createServer as createHttp1 } from "node:http";
import { type AddressInfo, createServer, type Server } from "node:net";
import * as sdk from "@restatedev/restate-sdk";
import { expect, it } from "vitest";
import { freePort } from "../../../tests/servers/postgres.ts";
import { answers, listen } from "./endpoint.ts";

const service = "flujo-jobs";
const where = (port: number): string => `http://127.0.0.1:${port}/`;

async function portOf(server: Server): Promise<number> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return (server.address() as AddressInfo).port;
}

it("an endpoint answers for its service, and for no other", async () => {
  const endpoint = await listen(sdk, { service, host: "127.0.0.1", port: 0 });
  expect(await answers(where(endpoint.port), service)).toBe(true);
  expect(await answers(where(endpoint.port), "others-jobs")).toBe(false);
  endpoint.close();
  expect(await answers(where(endpoint.port), service)).toBe(false);
});

it("nobody answers where nobody listens, where a process hangs, and where something else has taken the port", async () => {
  const hanging = createServer();
  const other = createHttp1((_, response) => response.end(service));
  const all = [await freePort(), await portOf(hanging), await portOf(other)].map(where);
  for (const uri of [...all, "tunnel://region/name"]) expect(await answers(uri, service)).toBe(false);
  hanging.close();
  other.close();
});

it("says so where it cannot listen", async () => {
  const taken = createServer();
  const port = await portOf(taken);
  await expect(listen(sdk, { service, host: "127.0.0.1", port })).rejects.toMatchObject({
    code: "invalid-option",
    hint: "Name another address: listen=HOST:PORT",
  });
  taken.close();
});
