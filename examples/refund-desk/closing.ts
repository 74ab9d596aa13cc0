/** At the end of the day: what has gone out of the till. A schedule starts it. */
import { pipeline, step } from "flujo";
import { movements } from "./shop.ts";

const count = step("count", () => {
  const cents = movements().reduce((sum, one) => sum - one.cents, 0);
  return `${(cents / 100).toFixed(2)} paid back so far`;
});

export default pipeline("closing", count);
