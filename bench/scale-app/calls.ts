/** A run as docs/scale.md reckons with it: ten steps, every other one a model call. */
import { agent, pipeline, step } from "flujo";

const turn = (name: string) =>
  step(`prepare-${name}`, (text: string) => text.trim()).to(
    agent(name, {
      model: "openai:gpt-4o-mini",
      system: "Go on with what you are told.",
      prompt: (text: string) => text,
      maxOutputTokens: 20,
    }),
  );

export default pipeline(
  "calls",
  turn("one").to(turn("two")).to(turn("three")).to(turn("four")).to(turn("five")),
);
