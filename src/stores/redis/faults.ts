import { FlujoError, StoreUnavailableError } from "../../core/errors.ts";

/** The connection broke before the answer came: what was asked may have been done. */
export class ConnectionLostError extends Error {
  constructor(cause: Error | undefined) {
    super(cause?.message || "the connection broke", { cause });
  }
}

type Letter = readonly [message: string, hint: string, retryable: boolean];

const away: Letter = [
  "the server does not answer",
  "Check that it runs, and that its address and port are right.",
  true,
];
const late: Letter = ["the answer took too long", "Look for what keeps the server busy.", true];
const moving: Letter = [
  "the cluster is moving what the store has to another node",
  "It goes on when that is done: redis-cli --cluster check HOST:PORT",
  true,
];
const refused: Letter = [
  "the server lets nobody in under that name",
  "Check the user and the password in the URI.",
  false,
];
const unknown: Letter = ["it says what Flujo does not know", "Look into the server's log.", false];
const clustered: Letter = ["the server is one of a cluster", "Say so in the URI: ?cluster=true", false];

/** By what the server's message begins with. */
const byWord: { readonly [word: string]: Letter } = {
  WRONGPASS: refused,
  NOAUTH: refused,
  NOPERM: [
    "the user may not do that",
    "Flujo needs the keys that begin with its prefix, and commands on them and on scripts: ~{flujo}:* +@all -@admin -@dangerous +info",
    false,
  ],
  OOM: [
    "the server's memory is full",
    "Raise its maxmemory, or remove runs: flujo lens prune. What was acknowledged is kept.",
    true,
  ],
  READONLY: [
    "the server takes no writes",
    "It is a replica, or was the primary until a moment ago: name the primary in the URI.",
    true,
  ],
  MISCONF: [
    "the server cannot write to its disk",
    "Look into its log, and make room there. What was acknowledged is kept.",
    true,
  ],
  NOREPLICAS: [
    "too few replicas follow the server",
    "It is told to take no writes then (min-replicas-to-write): look for the replicas.",
    true,
  ],
  LOADING: ["the server is still reading what it keeps", "Wait until it has; then try again.", true],
  MASTERDOWN: away,
  BUSY: late,
  UNKILLABLE: late,
  TRYAGAIN: moving,
  MOVED: clustered,
  ASK: clustered,
  CLUSTERDOWN: ["the cluster is down", "See what it says of itself: redis-cli cluster info", true],
};

const byStart: readonly (readonly [start: string, letter: Letter])[] = [
  ["ERR max number of clients reached", ["the server has no connection left", "Raise its maxclients.", true]],
  ["ERR DB index is out of range", ["there is no such database", "Name another one: redis://host/0", false]],
  ["ERR invalid password", refused],
  ["ERR AUTH", refused],
  [
    "ERR Error compiling script",
    ["the server is too old", "Flujo needs Redis 7 or Valkey, or newer.", false],
  ],
  ["Command timed out", late],
  [
    "All sentinels are unreachable",
    [
      "no Sentinel says where the primary is",
      "Check their addresses, and the name that sentinel= gives.",
      true,
    ],
  ],
  ["Failed to refresh slots cache", away],
  ["None of startup nodes is available", away],
  ["Command aborted due to connection close", away],
  ["Cluster is disconnect", away], // and: it is disconnecting
  ["Node is disconnected", away],
  ["Stream isn't writeable", away],
];

/** The operating system's names for a server that cannot be reached. */
const isUnreachable =
  /^(ECONNREFUSED|ECONNRESET|EPIPE|ETIMEDOUT|EHOSTUNREACH|ENETUNREACH|ENOTFOUND|EAI_AGAIN|ENOENT)$/;

/** The error a caller of the store named `store` should see. */
export function storeError(error: unknown, store: string): unknown {
  if (FlujoError.isInstance(error) || !(error instanceof Error)) return error;
  const letter = letterFor(error);
  if (letter === undefined) return error;
  const [message, hint, retryable] = letter;
  return new StoreUnavailableError(`${store} is not available: ${message} (${error.message})`, {
    // Not the driver's own error, which carries what was sent: passwords, and all that was to be kept.
    cause: new Error(error.message),
    hint,
    retryable,
  });
}

function letterFor(error: Error): Letter | undefined {
  const [, last] = /^Too many Cluster redirections\. Last error: \w+: (\w+)/.exec(error.message) ?? [];
  if (last === "CLUSTERDOWN") return byWord[last];
  if (last !== undefined) return /^(MOVED|ASK|TRYAGAIN)$/.test(last) ? moving : away;
  const [word = ""] = error.message.split(" ", 1);
  if (Object.hasOwn(byWord, word)) return byWord[word];
  const known = byStart.find(([start]) => error.message.startsWith(start));
  if (known !== undefined) return known[1];
  const code = "code" in error && typeof error.code === "string" ? error.code : "";
  if (error instanceof ConnectionLostError || isUnreachable.test(code)) return away;
  return error.name === "ReplyError" ? unknown : undefined;
}

/** Nobody gets to write what so many others change without end. */
export const tooBusy = (): StoreUnavailableError =>
  new StoreUnavailableError("too many others change the same at once", {
    hint: "Try again, or have fewer processes share one account.",
    retryable: true,
  });
