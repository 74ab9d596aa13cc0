/**
 * Whom a message goes to: a person, or the answering machine. How urgent it has to sound is a setting, and it is far too high.
 *
 *     npx flujo improve examples/triage/messages.jsonl --pipeline examples/triage/triage.ts
 *
 * finds a better one, and proves it on cases that it was not chosen by. Nothing in it asks a model, so no key is needed.
 */
import { pipeline, step } from "flujo";

const weights: { readonly [word: string]: number } = {
  broken: 0.4,
  cancel: 0.3,
  lawyer: 0.6,
  lost: 0.3,
  refund: 0.3,
  today: 0.2,
  urgent: 0.5,
  working: 0.2,
  wrong: 0.25,
  thanks: -0.4,
};

const urgency = (message: string): number =>
  message
    .toLowerCase()
    .split(/\W+/)
    .reduce((sum, word) => sum + (weights[word] ?? 0), 0);

const triage = step(
  "triage",
  (message: string, { settings }) => (urgency(message) >= settings.least ? "person" : "machine"),
  { settings: { least: { type: "number", value: 0.95, min: 0, max: 1, mayChange: true } } },
);

export default pipeline("triage", triage);
