/** The pipeline that `flujo eval` tries in bench/evals.ts: it does next to nothing. */
import { pipeline, step } from "flujo";

export default pipeline(
  "shout",
  step("up", (/** @type {string} */ text) => text.toUpperCase()),
);
