import { DeliveryFailedError } from "./errors.ts";

/**
 * What a template makes of a delivery. One that throws would throw again: the event becomes a dead letter, to be sent
 * once the template is mended.
 *
 * @throws DeliveryFailedError, not retryable.
 */
export function templated<T>(sink: string, make: () => T): T {
  try {
    return make();
  } catch (thrown) {
    throw new DeliveryFailedError(`the template of ${sink} threw ${String(thrown)}`, { retryable: false });
  }
}
