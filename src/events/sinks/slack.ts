import { DeliveryFailedError, InvalidOptionError } from "../../core/errors.ts";
import { noAnswer, retryAfter } from "../../core/http-answer.ts";
import { templated } from "../../core/templated.ts";
import { headline, questionOf } from "../../core/wording.ts";
import type { Delivery, Sink } from "../../ports/sink.ts";
import { waysOf } from "../../ports/ways.ts";

/** What Slack is sent: a text for notifications, and blocks of its Block Kit. */
export interface SlackMessage {
  readonly text: string;
  readonly blocks?: readonly object[];
}

export interface SlackOptions {
  /** The address of an incoming webhook: a secret. */
  readonly url: string | undefined;
  /** Where people look at the run, or answer. */
  readonly link?: (delivery: Delivery) => string | undefined;
  /** A message of your own instead. Texts from outside go through {@link slackText}. */
  readonly message?: (delivery: Delivery) => SlackMessage;
}

/**
 * Tells events to a Slack channel by an incoming webhook: what happened in which run, where, and what it had cost. A
 * question to a person comes with its text, and links to answer it.
 *
 * ```ts
 * import { slack } from "flujo/sinks";
 *
 * export default defineConfig({
 *   sinks: {
 *     ops: slack({
 *       url: process.env.SLACK_WEBHOOK_URL,
 *       link: ({ runId }) => `https://flujo.example/runs/${runId}`,
 *     }),
 *   },
 * });
 * ```
 *
 * @throws InvalidOptionError for an address that is none.
 */
export function slack(options: SlackOptions): Sink {
  const { url, link, message = (delivery) => blocksOf(delivery, link?.(delivery)) } = options;
  if (!/^https?:$/.test(URL.parse(url ?? "")?.protocol ?? "")) {
    throw new InvalidOptionError("the address of a Slack webhook is missing, or is none", {
      hint: "Give that of an incoming webhook as url. If it comes from the environment, is the variable set?",
    });
  }
  const name = `slack ${new URL(url as string).host}`; // it has a protocol
  return {
    name,
    async deliver(delivery, signal) {
      const body = templated(name, () => JSON.stringify(message(delivery)));
      const response = await fetch(url as string, {
        method: "POST",
        redirect: "manual",
        signal,
        headers: { "content-type": "application/json" },
        body,
      }).catch((error: unknown) => {
        throw new DeliveryFailedError(`${name} cannot be reached: ${noAnswer(error)}`);
      });
      const answer = (await response.text().catch(() => "")).trim();
      if (response.ok) return;
      const code = /^[a-z_]{1,60}$/.test(answer) ? ` (${answer})` : "";
      throw new DeliveryFailedError(`${name} answered ${response.status}${code}`, {
        retryable: !neverTaken.has(response.status),
        retryAfterMs: retryAfter(response.headers.get("retry-after"), Date.now()),
        hint: hints[answer],
      });
    },
  };
}

/** The message does not fit, or its channel or webhook is no more: Slack says so by these, and the same text changes nothing. */
const neverTaken = new Set([400, 403, 404, 410]);

const hints: { readonly [answer: string]: string } = {
  no_service: "The webhook was removed or disabled: make another one in Slack",
  channel_not_found: "The channel was deleted",
  channel_is_archived: "The channel is archived",
  invalid_payload: "The message of the template is none that Slack takes",
};

/** Slack takes at most 3,000 characters of text in a section, 150 in a header. */
const longestSection = 2_900;
const longestHeader = 150;

/**
 * A text from outside, as it must stand in a Slack message: `&`, `<` and `>` would be read as links and mentions.
 *
 * ```ts
 * import { slack, slackText } from "flujo/sinks";
 *
 * slack({ url: process.env.SLACK_WEBHOOK_URL, message: ({ event }) => ({ text: slackText(`It is ${event.type}`) }) });
 * ```
 */
export function slackText(text: string): string {
  return text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;");
}

function blocksOf(delivery: Delivery, link: string | undefined): SlackMessage {
  const { event, runId, pipeline, costUsd, id } = delivery;
  const line = headline(event, delivery);
  // Links, not buttons: Slack reports a click on any button to an app of yours, and warns people when none answers.
  const open = waysOf(delivery, link)
    .map(([label, where]) => `<${target(where)}|${label}>`)
    .filter((text) => text.length <= longestSection); // half a link leads nowhere
  const fields: readonly [label: string, value: string][] = [
    ["Pipeline", pipeline],
    ["Run", runId],
    ["Where", event.path],
    ["Cost so far", `$${costUsd}`],
  ];
  const question = questionOf(event);
  const asked = question === undefined ? [] : [{ type: "section", text: mrkdwn(slackText(question)) }];
  return {
    text: clip(slackText(line), longestSection),
    blocks: [
      { type: "header", text: { type: "plain_text", text: clip(titleOf(delivery), longestHeader) } },
      ...asked,
      {
        type: "section",
        fields: fields.map(([label, value]) => mrkdwn(`*${label}*\n${slackText(clip(value, 300))}`)),
      },
      ...open.map((text) => ({ type: "section", text: mrkdwn(text) })),
      // The same event has the same block id, should it come twice.
      { type: "context", block_id: id, elements: [mrkdwn(`${slackText(line)} · ${event.at}`)] },
    ],
  };
}

function titleOf({ event, pipeline }: Delivery): string {
  switch (event.type) {
    case "signal-awaited":
    case "signal-escalated":
      return `${pipeline} needs an answer`;
    case "budget-threshold":
      return `${pipeline}: ${event.percent} % of a budget is spent`;
    default:
      return `${pipeline}: ${event.type.replace("-", " ")}`;
  }
}

const mrkdwn = (text: string) => ({ type: "mrkdwn", text: clip(text, longestSection) });

/** An address in a link: what would end it is percent-encoded. */
const target = (link: string): string =>
  slackText(link.replace(/[<>|\s]/g, (char) => encodeURIComponent(char)));

/** At most so many characters, with no half of one, nor of an escaped one, at the end. */
function clip(text: string, longest: number): string {
  if (text.length <= longest) return text;
  return `${text
    .slice(0, longest - 1)
    .toWellFormed()
    .replace(/&[a-z]{0,3}$/, "")}…`;
}
