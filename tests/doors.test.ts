import { readFileSync } from "node:fs";
import { join, posix } from "node:path";
import { expect, test } from "vitest";

const root = join(import.meta.dirname, "..");
const { exports } = JSON.parse(readFileSync(join(root, "package.json"), "utf8")) as {
  exports: { readonly [door: string]: string | { readonly default: string } };
};

/** The sources of the doors, by what users write: `flujo`, `flujo/sqlite`. */
const doors = Object.entries(exports).flatMap(([door, target]) =>
  typeof target === "string"
    ? []
    : [[door.replace(".", "flujo"), target.default.replace(/^\.\/dist\/(.*)\.js$/, "src/$1.ts")] as const],
);

/** What a door lets out, by name: where it is made, and what it is called there. */
function letOut(file: string): Map<string, string> {
  const source = readFileSync(join(root, file), "utf8");
  const found = new Map<string, string>();
  for (const [, names, from] of source.matchAll(/^export (?:type )?\{([^}]*)\} from "([^"]+)";/gm)) {
    for (const name of (names as string).split(",").map((one) => one.trim().replace(/^type /, ""))) {
      const [made, told = made] = name.split(" as ");
      if (name !== "")
        found.set(told as string, `${posix.join(posix.dirname(file), from as string)} ${made}`);
    }
  }
  for (const [, name] of source.matchAll(
    /^export (?:async )?(?:function|class|const|interface|type) (\w+)/gm,
  ))
    found.set(name as string, `${file} ${name}`);
  return found;
}

test("the doors were found, and what they let out", () => {
  expect(doors.length).toBeGreaterThan(10);
  expect(letOut("src/index.ts").get("StepContext")).toBe("src/core/context.ts Context");
  expect(letOut("src/client/index.ts").get("client")).toBe("src/client/index.ts client");
});

test("a name is of one thing, whichever door it comes from", () => {
  const things = new Map<string, Set<string>>();
  for (const [, file] of doors)
    for (const [name, thing] of letOut(file)) things.set(name, (things.get(name) ?? new Set()).add(thing));
  expect(
    [...things].filter(([, of]) => of.size > 1).map(([name, of]) => `${name}: ${[...of].join(", ")}`),
  ).toEqual([]);
});
