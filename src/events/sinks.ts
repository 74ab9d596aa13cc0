/** The door of `flujo/sinks`: where events can be told. */
export type { Delivery, Sink } from "../ports/sink.ts";
export { type EmailMessage, type EmailOptions, email, htmlText } from "./sinks/email.ts";
export { type SlackMessage, type SlackOptions, slack, slackText } from "./sinks/slack.ts";
export { type WebhookOptions, webhook } from "./sinks/webhook.ts";
