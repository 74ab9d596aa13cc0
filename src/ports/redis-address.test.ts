import { expect, test } from "vitest";
import { InvalidOptionError } from "../core/errors.ts";
import { redisAddress } from "./redis-address.ts";

const read = (text: string, options = {}) => redisAddress(text, "the Redis server", options);

test("one server has a host, a port, a database, and what lets one in", () => {
  expect(read("rediss://ana:se%40cret@cache/3?family=6")).toMatchObject({
    hosts: [{ host: "cache", port: 6379 }],
    ...{ cluster: false, sentinel: undefined, database: 3 },
    login: { username: "ana", password: "se@cret", tls: {} },
    shown: "rediss://ana@cache/3",
  });
  expect(read("rediss://ana:se%40cret@cache/3?family=6").url.href).toBe(
    "rediss://ana:se%40cret@cache/3?family=6",
  );
});

test("several hosts are nodes of a cluster or Sentinels, and whatever is said of that is not left for the driver", () => {
  const cluster = read("redis://:secret@one:7000,two,[::1]:7002?cluster=true");
  expect(cluster).toMatchObject({
    hosts: [
      { host: "one", port: 7000 },
      { host: "two", port: 6379 },
      { host: "::1", port: 7002 },
    ],
    ...{ cluster: true, login: { password: "secret" }, shown: "redis://one:7000,two,[::1]:7002" },
  });
  expect(cluster.url.search).toBe("");
  expect(read("redis://one:26379,two:26379/2?sentinel=store")).toMatchObject({
    sentinel: "store",
    database: 2,
  });
  expect(read("redis://one,two", { sentinel: "store" })).toMatchObject({ sentinel: "store" });
  expect(read("redis://one?cluster=true", { cluster: false })).toMatchObject({ cluster: false });
});

test.each([
  ["redis://one,two", /has 2 hosts/],
  ["redis://one,two:x?cluster=true", /the address of the Redis server is none/],
  ["redis://one,,two?cluster=true", /is none/],
  ["redis://", /is none/],
  ["http://one", /is none/],
  ["redis://one/app", /is none/],
  ["redis://one?cluster=yes", /it takes true or false/],
  ["redis://one/1?cluster=true", /a cluster has no database 1/],
  ["redis://one?cluster=true&sentinel=store", /a cluster has no Sentinels/],
])("%s is refused", (text, message) => {
  expect(() => read(text)).toThrow(InvalidOptionError);
  expect(() => read(text)).toThrow(message);
});
