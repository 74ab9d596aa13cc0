/** A pipeline for the command line: agents that speak one after another. */
import { agent, pipeline } from "flujo";

const speaker = (name: string) =>
  agent(name, { model: "openai:gpt-4o-mini", system: `You are ${name}.`, maxOutputTokens: 40 });

export default pipeline(
  "talk",
  ["Ada", "Bo", "Cy", "Di"].map(speaker).reduce((before, next) => before.to(next)),
);
