import { InvalidOptionError } from "../../core/errors.ts";

/** Where Restate is, and where it finds a worker. */
export interface Found {
  readonly name: string;
  readonly ingress: URL;
  readonly admin: URL;
  readonly token: string | undefined;
  readonly listenAt: { readonly host: string; readonly port: number };
  readonly at: string | undefined;
  readonly identityKeys: readonly string[];
}

interface Said {
  readonly admin?: string | number;
  readonly listen?: string;
  readonly at?: string;
  readonly identity?: string | readonly string[];
}

/** @throws InvalidOptionError */
export function addressOf(address: string, options: Said = {}): Found {
  const url = URL.parse(address);
  const scheme = url?.protocol === "restates:" ? "https" : "http";
  if (url === null || !/^restates?:$/.test(url.protocol) || url.host === "") {
    throw new InvalidOptionError("the address of Restate is none", {
      hint: "Write restate://HOST:8080, where its ingress is",
    });
  }
  const said = (name: "admin" | "listen" | "at"): string | undefined =>
    options[name]?.toString() ?? url.searchParams.get(name) ?? undefined;
  const admin = said("admin") ?? "9070";
  const at = said("at");
  return {
    name: `Restate on ${url.protocol}//${url.host}`,
    ingress: httpAddress(`${scheme}://${url.host}`, "ingress"),
    admin: httpAddress(/^\d+$/.test(admin) ? `${scheme}://${url.hostname}:${admin}` : admin, "admin"),
    token: url.username === "" ? undefined : decodeURIComponent(url.username),
    listenAt: listenAddress(said("listen") ?? "127.0.0.1:0"),
    at: at === undefined ? undefined : httpAddress(at, "at").href,
    identityKeys: [options.identity ?? url.searchParams.get("identity")?.split(",") ?? []]
      .flat()
      .map(publicKey),
  };
}

/** @throws InvalidOptionError */
function publicKey(text: string): string {
  if (/^publickeyv1_[1-9A-HJ-NP-Za-km-z]{32,44}$/.test(text)) return text; // 32 bytes, to the base 58
  throw new InvalidOptionError(`identity=${text} is no public key of a Restate`, {
    hint: "Write identity=publickeyv1_…, as it says when it starts, or as its cloud shows it",
  });
}

/** @throws InvalidOptionError */
function httpAddress(text: string, what: string): URL {
  const url = URL.parse(text);
  if (url !== null && /^https?:$/.test(url.protocol)) return url;
  throw new InvalidOptionError(`${what}=${text} is no address, for Restate`, {
    hint: `Write ${what}=http://HOST:PORT`,
  });
}

/** @throws InvalidOptionError */
function listenAddress(text: string): { readonly host: string; readonly port: number } {
  const [, host, port] = /^(?:(.+):)?(\d+)$/.exec(text) ?? [];
  if (port === undefined || Number(port) > 65_535) {
    throw new InvalidOptionError(`listen=${text} is no address, for Restate`, {
      hint: "Write listen=0.0.0.0:9080",
    });
  }
  return { host: host?.replace(/^\[(.*)\]$/, "$1") ?? "127.0.0.1", port: Number(port) };
}
