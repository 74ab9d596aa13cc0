import { type Duration, milliseconds } from "../core/duration.ts";
import { InvalidOptionError } from "../core/errors.ts";
import type { RunEvent } from "../core/events.ts";
import type { Path } from "../core/paths.ts";
import { closingOf } from "../core/waiting.ts";
import { load } from "../engine/load.ts";
import { openQuestion } from "../engine/open-question.ts";
import { checkSender } from "../engine/signals.ts";
import type { QuestionLinks } from "../ports/sink.ts";
import type { Store } from "../ports/store.ts";
import type { World } from "../ports/world.ts";
import { type Invitation, type Opened, opened, sealed } from "./invitation.ts";
import { checkedSecrets, type Secret, storeSecret } from "./secret.ts";

/** What a link is to be like. */
export interface AnswerLinkOptions {
  /** Who answers by it, for the journal and for whoever is second. Default: `"a link"`. */
  readonly by?: string;
  /** The answer itself: the page asks only to confirm it. Default: they choose. */
  readonly answer?: unknown;
  /** How long it works, up to `"90d"`; never longer than an answer is taken. Default `"7d"`. */
  readonly expires?: Duration;
}

/** What links are made with. */
export interface AnswerLinksParts {
  readonly store: Store;
  readonly world: Pick<World, "now">;
  /** Where the pages are served: `"https://flujo.example.com"`. Absent: links can be opened, and not made. */
  readonly publicUrl?: string | undefined;
  /** Default: one of the store's own, made when it is first needed. */
  readonly secret?: Secret | undefined;
}

const dayMs = 86_400_000;
const usualMs = 7 * dayMs;
const longestMs = 90 * dayMs;

/** Makes the links by which questions are answered, and reads them. */
export class AnswerLinks {
  readonly #store: Store;
  readonly #world: Pick<World, "now">;
  readonly #base: string | undefined;
  readonly #given: readonly string[] | undefined;
  #secrets: Promise<readonly string[]> | undefined;

  /** @throws InvalidOptionError for an address that is none, and for a secret that is too short. */
  constructor({ store, world, publicUrl, secret }: AnswerLinksParts) {
    this.#store = store;
    this.#world = world;
    this.#base = publicUrl === undefined ? undefined : baseOf(publicUrl);
    this.#given = secret === undefined ? undefined : checkedSecrets(secret);
  }

  /**
   * The link for what is asked at a path now.
   *
   * @throws UnknownRunError, RunEndedError; SignalRefusedError when nobody is asked there, or it has its answer;
   *   InvalidOptionError without a public URL, for a time out of bounds, and for an empty name.
   */
  async to(runId: string, path: Path, options: AnswerLinkOptions = {}): Promise<string> {
    const ms = options.expires === undefined ? usualMs : milliseconds(options.expires);
    if (ms < 1_000 || ms > longestMs)
      throw new InvalidOptionError(`an answer link cannot last ${options.expires}`, {
        hint: 'From "1s" to "90d".',
      });
    checkSender(options.by);
    const now = this.#world.now();
    const asked = openQuestion(await load(this.#store, runId), { runId, path }, now);
    const until = this.#until(now + ms, closingOf(asked));
    return this.#linkOf({ runId, path, of: asked.seq, until, ...personIn(options) });
  }

  /** The links of a question, for the sinks that are told of it; undefined for other events. */
  async forEvent(runId: string, event: RunEvent): Promise<QuestionLinks | undefined> {
    if (this.#base === undefined) return undefined;
    const end = this.#world.now() + usualMs;
    if (event.type === "signal-escalated")
      return { answer: await this.#linkOf({ runId, path: event.path, of: event.of, until: end }) };
    if (event.type !== "signal-awaited" || event.kind === "signal") return undefined;
    const { path, seq: of, rounds = 1, due } = event;
    const until = this.#until(end, closingOf({ rounds, round: 0, due }));
    const link = (answer?: Invitation["answer"]): Promise<string> =>
      this.#linkOf({ runId, path, of, until, ...(answer === undefined ? {} : { answer }) });
    const answer = await link();
    const isApproval = event.asks === undefined ? event.answer === undefined : event.asks === "approval";
    if (!isApproval) return { answer };
    const [approve, reject] = [await link(said(true)), await link(said(false))];
    return { answer, approve, reject };
  }

  /** What somebody has come with. */
  async read(token: string): Promise<Opened> {
    return opened(token, await this.#allSecrets(), this.#world.now());
  }

  /** A link never lasts longer than an answer is taken. */
  #until(end: number, closed: number | undefined): number {
    return Math.min(end, closed ?? end);
  }

  async #linkOf(invitation: Invitation): Promise<string> {
    if (this.#base === undefined)
      throw new InvalidOptionError("an answer link needs an address where its page is served", {
        hint: 'Say it in flujo.config.ts: server: { publicUrl: "https://flujo.example.com" }; in a program: new Flujo(pipeline, { publicUrl: … }).',
      });
    const [secret = ""] = await this.#allSecrets(); // there is always one
    return `${this.#base}/answer/${await sealed(invitation, secret)}`;
  }

  #allSecrets(): Promise<readonly string[]> {
    this.#secrets ??= this.#find().catch((error: unknown) => {
      this.#secrets = undefined; // the store may answer next time
      throw error;
    });
    return this.#secrets;
  }

  async #find(): Promise<readonly string[]> {
    return this.#given ?? [await storeSecret(this.#store)];
  }
}

const said = (approved: boolean): Invitation["answer"] => ({ value: { approved } });

const personIn = ({ by, answer }: AnswerLinkOptions): Pick<Invitation, "by" | "answer"> => ({
  ...(by === undefined ? {} : { by }),
  ...(answer === undefined ? {} : { answer: { value: answer } }),
});

function baseOf(publicUrl: string): string {
  if (/^https?:$/.test(URL.parse(publicUrl)?.protocol ?? "")) return publicUrl.replace(/\/+$/, "");
  throw new InvalidOptionError(`publicUrl is ${JSON.stringify(publicUrl)}, which is no URL of a server`, {
    hint: 'Write it whole: "https://flujo.example.com"',
  });
}
