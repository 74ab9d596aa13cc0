import { execFile } from "node:child_process";
import { relative } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { expect, test } from "vitest";

const vitest = fileURLToPath(new URL("../node_modules/vitest/vitest.mjs", import.meta.url));
const folder = fileURLToPath(new URL("./fixtures/not-run/", import.meta.url));

/** What a run of three tests says, of which one does not run and another stands for some that were not even made. */
const said = async (...args: string[]): Promise<string[]> => {
  const ran = await promisify(execFile)(process.execPath, [
    vitest,
    "run",
    "--config",
    `${folder}vitest.config.ts`,
    ...args,
  ]);
  return ran.stderr.split("\n").filter((line) => line !== "");
};

test("what did not run is said at the end of the tests, also when only some are asked for", async () => {
  const file = relative(process.cwd(), `${folder}some.case.ts`);
  expect(await said()).toEqual([
    "*** DID NOT RUN (2): what they take is not on this machine. ***",
    `${file}: takes what is not there`,
    `${file}: stands for others`,
  ]);
  expect(await said("-t", "stands")).toEqual([expect.stringContaining("(1)"), `${file}: stands for others`]);
});
