import { describe, test } from "vitest";
import { browserPath } from "./stage.ts";

/** Tests that take a browser. Where there is none they do not run, and it is said so. */
export function browsing(name: string, tests: () => void): void {
  if (browserPath !== undefined) {
    describe(name, tests);
    return;
  }
  test(`${name}: NOT LOOKED AT, for there is no Chromium`, ({ annotate }) => {
    const remedy = "apt-get install chromium, or CHROMIUM_PATH names one";
    console.warn(
      `\n*** ${name}: these tests did not run. There is no Chromium on this machine: ${remedy}. ***\n`,
    );
    return annotate(remedy, "warning").then(() => {});
  });
}
