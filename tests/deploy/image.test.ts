import { expect, test } from "vitest";
import { composition, ignored, instructions, variables, words } from "./files.ts";

const secret = { POSTGRES_PASSWORD: "secret", FLUJO_TOKEN: "0123456789abcdef0123456789abcdef" };

test("the image is built from one base and the package registry, and from nothing else", () => {
  const all = instructions();
  const bases = all.filter(([name]) => name === "FROM").map(([, rest]) => rest);
  expect(bases).toEqual([
    expect.stringMatching(/^\$\{NODE\} AS packages$/),
    expect.stringMatching(/^\$\{NODE\}$/),
  ]);
  expect(all.filter(([name]) => name === "RUN").map(([, rest]) => rest)).toEqual([
    "npm ci --omit=dev --ignore-scripts --no-audit --no-fund",
  ]);
  expect(all.filter(([name]) => name === "ADD")).toEqual([]);
  expect(ignored()).toEqual(expect.arrayContaining(["node_modules", ".env", ".git", ".flujo"]));
});

test("it runs as nobody in particular, and signals reach the process itself", () => {
  const names = instructions().map(([name]) => name);
  expect(names.lastIndexOf("USER")).toBeGreaterThan(names.lastIndexOf("COPY"));
  expect(instructions()).toContainEqual(["USER", "node"]);
  expect(words("ENTRYPOINT")).toEqual(["node", "/app/node_modules/flujo/bin/flujo.js"]);
  expect(words("CMD")[0]).toBe("worker");
});

test("a supervisor waits longer than a process may take to end", () => {
  const { services } = composition(secret);
  const ours = Object.values(services).filter(
    ({ image, command }) => image === "claims" && command?.[0] !== "doctor",
  );
  expect(ours.length).toBe(2);
  const goodbyesSeconds = 20;
  for (const { command = [], stop_grace_period = "" } of ours) {
    const grace = command[command.indexOf("--grace") + 1] ?? "";
    expect(Number.parseInt(stop_grace_period, 10)).toBeGreaterThan(
      Number.parseInt(grace, 10) + goodbyesSeconds,
    );
  }
});

test("what the services need of one another and of whoever starts them is there", () => {
  expect(variables().sort()).toEqual(Object.keys(secret).sort());
  const { services, volumes } = composition(secret);
  for (const { depends_on = {} } of Object.values(services))
    for (const other of Object.keys(depends_on)) expect(services).toHaveProperty(other);
  const postgres = services.postgres;
  const { POSTGRES_USER, POSTGRES_PASSWORD, POSTGRES_DB } = postgres?.environment ?? {};
  for (const name of ["doctor", "worker", "dashboard"]) {
    expect(services[name]).toMatchObject({ image: "claims", build: ".", read_only: true });
    expect(services[name]?.environment).toMatchObject({
      FLUJO_STORE: `postgres://${POSTGRES_USER}:${POSTGRES_PASSWORD}@postgres/${POSTGRES_DB}`,
      FLUJO_TOKEN: secret.FLUJO_TOKEN,
    });
  }
  expect(postgres?.volumes?.map((volume) => volume.split(":")[0])).toEqual(Object.keys(volumes));
  const port = words("CMD").at(-1);
  expect(instructions()).toContainEqual(["EXPOSE", port]);
  expect(services.dashboard?.ports).toEqual([`127.0.0.1:${port}:${port}`]);
});
