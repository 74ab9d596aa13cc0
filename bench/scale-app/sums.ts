/** What keeps a processor busy: about 20 ms a step. */
import { pbkdf2Sync } from "node:crypto";
import { pipeline, step } from "flujo";

const sum = (text: string): string => pbkdf2Sync(text, "salt", 80_000, 32, "sha256").toString("hex");

export default pipeline(
  "sums",
  step("one", sum).to(step("two", sum)).to(step("three", sum)).to(step("four", sum)).to(step("five", sum)),
);
