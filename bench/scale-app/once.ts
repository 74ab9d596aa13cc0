/** Notes when its first line runs. */
import { appendFileSync } from "node:fs";
import { pipeline, type StepContext, step } from "flujo";

export default pipeline(
  "once",
  step("note", (_: number, { runId }: StepContext) => {
    appendFileSync(
      process.env.LOG ?? "/dev/null",
      `${runId} ${performance.timeOrigin + performance.now()}\n`,
    );
  }),
);
