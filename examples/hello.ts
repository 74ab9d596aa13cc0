/**
 * The smallest pipeline: one step.
 *
 *     npx flujo run examples/hello.ts --input Flujo
 */
import { pipeline, step } from "flujo";

export default pipeline(
  "hello",
  step("greet", (name: string) => `Hello, ${name}!`),
);
