import { DeliveryFailedError, FlujoError, InvalidOptionError } from "../../core/errors.ts";
import { templated } from "../../core/templated.ts";
import { headline, questionOf } from "../../core/wording.ts";
import { importPackage } from "../../ports/optional-package.ts";
import type { Delivery, Sink } from "../../ports/sink.ts";
import { waysOf } from "../../ports/ways.ts";

/** One message; `html` beside the text where a reader can show it. */
export interface EmailMessage {
  readonly subject: string;
  readonly text: string;
  readonly html?: string;
}

export interface EmailOptions {
  /** `smtps://user:password@mail.example.com`, or `smtp://` for a connection that begins in the clear. */
  readonly server: string | undefined;
  readonly from: string;
  readonly to: string | readonly string[];
  /** Where people look at the run, or answer. */
  readonly link?: (delivery: Delivery) => string | undefined;
  /** A message of your own instead. Texts from outside go through {@link htmlText} where they stand in `html`. */
  readonly message?: (delivery: Delivery) => EmailMessage;
}

/** What we use of nodemailer. */
interface Transport {
  sendMail(mail: object): Promise<{ readonly rejected?: readonly unknown[] }>;
}

/**
 * Sends events by email, over SMTP. Needs the package nodemailer. The same event has the same Message-ID, should it come
 * twice.
 *
 * ```ts
 * import { email } from "flujo/sinks";
 *
 * export default defineConfig({
 *   sinks: {
 *     people: {
 *       to: email({ server: process.env.SMTP_URL, from: "flujo@example.com", to: "ops@example.com" }),
 *       events: ["run-failed", "signal-awaited"],
 *     },
 *   },
 * });
 * ```
 *
 * @throws InvalidOptionError for a server that is none; MissingPackageError when the first message is sent.
 */
export function email(options: EmailOptions): Sink {
  const { from, to, link, message = (delivery) => messageOf(delivery, link?.(delivery)) } = options;
  const server = URL.parse(options.server ?? "");
  if (server === null || !/^smtps?:$/.test(server.protocol)) {
    throw new InvalidOptionError("the server of an email sink is missing, or is none", {
      hint: "Give it as server: smtps://user:password@mail.example.com. If it comes from the environment, is the variable set?",
    });
  }
  const name = `email ${server.host}`;
  let transport: Promise<Transport> | undefined;
  return {
    name,
    async deliver(delivery, signal) {
      transport ??= connect(server.href).catch((error: unknown) => {
        transport = undefined; // it may be installed meanwhile
        throw error;
      });
      const { subject, text, html } = templated(name, () => message(delivery));
      const mail = {
        from,
        to: [to].flat(),
        subject: subject.replace(/\p{Cc}+/gu, " "),
        text,
        ...(html === undefined ? {} : { html }),
        messageId: `<${delivery.id}@flujo>`,
        headers: { "X-Flujo-Id": delivery.id },
        disableFileAccess: true,
        disableUrlAccess: true,
        signal,
      };
      const { rejected = [] } = await (await transport).sendMail(mail).catch((error: unknown) => {
        throw failure(error, name);
      });
      if (rejected.length === 0) return;
      // Whoever was taken has it: sending it again would reach them twice.
      throw new DeliveryFailedError(`${name} refused ${rejected.length} of the recipients, not the others`, {
        retryable: false,
      });
    },
  };
}

async function connect(server: string): Promise<Transport> {
  const { createTransport } = await importPackage("nodemailer");
  return (createTransport as (options: object) => Transport)({ url: server }); // its documented export
}

/** Errors of nodemailer hold what the server said, which may hold addresses and names: only their codes are told. */
function failure(error: unknown, name: string): FlujoError {
  if (FlujoError.isInstance(error)) return error;
  const { code, responseCode, command } = error as {
    code?: unknown;
    responseCode?: unknown;
    command?: unknown;
  };
  const answered = typeof responseCode === "number" ? `answered ${responseCode}` : "cannot be reached";
  const at = typeof command === "string" && /^[A-Z ]{1,20}$/.test(command) ? ` to ${command}` : "";
  const why = typeof code === "string" && /^[A-Z]{1,30}$/.test(code) ? ` (${code})` : "";
  // 5xx says that this message is never taken; a password that is refused can be put right.
  const isFinal = typeof responseCode === "number" && responseCode >= 500 && code !== "EAUTH";
  return new DeliveryFailedError(`${name} ${answered}${at}${why}`, { retryable: !isFinal });
}

/**
 * A text from outside, as it must stand in HTML.
 *
 * ```ts
 * import { email, htmlText } from "flujo/sinks";
 *
 * email({
 *   server: process.env.SMTP_URL,
 *   from: "flujo@example.com",
 *   to: "ops@example.com",
 *   message: ({ runId, event }) => ({
 *     subject: `${event.type} in ${runId}`,
 *     text: `${event.path}: ${event.type}`,
 *     html: `<p>${htmlText(event.path)}: ${event.type}</p>`,
 *   }),
 * });
 * ```
 */
export function htmlText(text: string): string {
  const escaped: { readonly [char: string]: string } = {
    "&": "&amp;",
    "<": "&lt;",
    ">": "&gt;",
    '"': "&quot;",
  };
  return text.replace(/[&<>"]/g, (char) => escaped[char] ?? char);
}

function messageOf(delivery: Delivery, link: string | undefined): EmailMessage {
  const { event, runId, pipeline, costUsd } = delivery;
  const subject = headline(event, delivery);
  const question = questionOf(event);
  const facts: readonly (readonly [label: string, value: string])[] = [
    ["Pipeline", pipeline],
    ["Run", runId],
    ["Where", event.path],
    ["When", event.at],
    ["Cost so far", `$${costUsd}`],
    ...waysOf(delivery, link),
  ];
  const lines = facts.map(([label, value]) => `${label}: ${value}`);
  const rows = facts.map(
    ([label, value]) => `<tr><th align="left">${label}</th><td>${shown(value)}</td></tr>`,
  );
  const asked = question === undefined ? "" : `<p><b>${htmlText(question)}</b></p>`;
  return {
    subject,
    text: [subject, ...(question === undefined ? [] : ["", question]), "", ...lines, ""].join("\n"),
    html: `<p>${htmlText(subject)}</p>${asked}<table>${rows.join("")}</table>`,
  };
}

const shown = (value: string): string =>
  /^https?:\/\/\S+$/.test(value) ? `<a href="${htmlText(value)}">${htmlText(value)}</a>` : htmlText(value);
