import { createHmac } from "node:crypto";
import { DeliveryFailedError, InvalidOptionError } from "../../core/errors.ts";
import { noAnswer, retryAfter } from "../../core/http-answer.ts";
import { templated } from "../../core/templated.ts";
import type { Delivery, Sink } from "../../ports/sink.ts";

export interface WebhookOptions {
  readonly url: string | undefined;
  /** `whsec_` and 24 to 64 bytes in base64. Several while they are changed: each request is signed with all of them. */
  readonly secret: string | readonly string[] | undefined;
  /** Further headers: a token that a gateway wants. */
  readonly headers?: { readonly [name: string]: string };
  /** What is sent, as JSON. Default: `{ type, timestamp, data }`, with the facts of the event as `data`. */
  readonly body?: (delivery: Delivery) => unknown;
}

/**
 * Sends events to an address of yours by HTTP POST, signed as Standard Webhooks says (standardwebhooks.com), so that the
 * receiver can tell them from forgeries by a library of its language. Any 2xx answer means that it has arrived, 410 that
 * nothing more is wanted; redirects are not followed.
 *
 * ```ts
 * import { webhook } from "flujo/sinks";
 *
 * export default defineConfig({
 *   sinks: { billing: webhook({ url: "https://billing.example/hooks", secret: process.env.BILLING_SECRET }) },
 * });
 * ```
 *
 * @throws InvalidOptionError for an address or a secret that cannot be used.
 */
export function webhook(options: WebhookOptions): Sink {
  const url = address(options.url);
  const name = `webhook ${url.host}`;
  const keys = [options.secret ?? ""].flat().map((secret) => keyOf(secret, name));
  const { headers = {}, body = plainBody } = options;
  return {
    name,
    async deliver(delivery, signal) {
      const payload = templated(name, () => JSON.stringify(body(delivery) ?? null, digits));
      const timestamp = Math.floor(Date.now() / 1_000).toString();
      const signed = `${delivery.id}.${timestamp}.${payload}`;
      const signatures = keys.map((key) => `v1,${createHmac("sha256", key).update(signed).digest("base64")}`);
      const response = await fetch(url, {
        method: "POST",
        redirect: "manual",
        signal,
        headers: {
          ...headers,
          "content-type": "application/json",
          "webhook-id": delivery.id,
          "webhook-timestamp": timestamp,
          "webhook-signature": signatures.join(" "),
        },
        body: payload,
      }).catch((error: unknown) => {
        throw new DeliveryFailedError(`${name} cannot be reached: ${noAnswer(error)}`);
      });
      await response.body?.cancel();
      if (response.ok) return;
      throw new DeliveryFailedError(`${name} answered ${response.status}`, {
        retryable: response.status !== 410,
        retryAfterMs: retryAfter(response.headers.get("retry-after"), Date.now()),
      });
    },
  };
}

/** Integers of any size, as money is, become texts. */
const digits = (_key: string, value: unknown): unknown => (typeof value === "bigint" ? `${value}` : value);

const plainBody = ({ facts, event, runId, pipeline, costUsd }: Delivery): unknown => ({
  type: event.type,
  timestamp: event.at,
  data: { runId, pipeline, ...facts, runCostUsd: costUsd },
});

function address(text: string | undefined): URL {
  const url = URL.canParse(text ?? "") ? new URL(text as string) : undefined; // it can be parsed
  if (url !== undefined && /^https?:$/.test(url.protocol)) return url;
  throw new InvalidOptionError("the address of a webhook is missing, or is none", {
    hint: "Give it as url: https://example.com/hooks. If it comes from the environment, is the variable set?",
  });
}

function keyOf(secret: string, name: string): Buffer {
  const key = Buffer.from(secret.replace(/^whsec_/, ""), "base64");
  if (key.length >= 24 && key.length <= 64) return key;
  throw new InvalidOptionError(`the secret of ${name} is missing, or is not 24 to 64 bytes in base64`, {
    hint: `Make one: node -e "console.log('whsec_' + crypto.randomBytes(32).toString('base64'))"`,
  });
}
