/** A server that speaks TLS and lets in who has a token, before one that does neither. */
import { execFileSync, spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { request } from "node:http";
import { createServer } from "node:https";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { getCACertificates, setDefaultCACertificates } from "node:tls";

export interface Front {
  /** `https://127.0.0.1:PORT`, which this process trusts as long as it is open. */
  readonly url: string;
  close(): void;
}

export async function frontOf(inner: string, token: string): Promise<Front> {
  const { key, cert } = certificate();
  const server = createServer({ key, cert }, (asked, answer) => {
    if (asked.headers.authorization !== `Bearer ${token}`) {
      answer.writeHead(401).end('{ "message": "who are you?" }');
      return;
    }
    const { method, headers } = asked;
    const passed = request(new URL(asked.url ?? "", inner), { method, headers }, (said) => {
      answer.writeHead(said.statusCode ?? 502, said.headers);
      said.pipe(answer);
    });
    passed.on("error", () => answer.destroy());
    asked.pipe(passed);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const trusted = getCACertificates();
  setDefaultCACertificates([...trusted, cert]);
  return {
    url: `https://127.0.0.1:${(server.address() as AddressInfo).port}`, // a TCP server that listens has one
    close() {
      setDefaultCACertificates(trusted);
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Whether there is what makes a certificate: Node.js makes none. */
export const hasOpenssl = spawnSync("openssl", ["version"]).status === 0;

/** For 127.0.0.1, signed by itself. */
function certificate(): { readonly key: string; readonly cert: string } {
  const folder = mkdtempSync(join(tmpdir(), "flujo-tls-"));
  try {
    const files = ["-keyout", "key.pem", "-out", "cert.pem"];
    const named = ["-subj", "/CN=localhost", "-addext", "subjectAltName=IP:127.0.0.1"];
    const kind = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes"];
    execFileSync("openssl", ["req", "-x509", ...kind, ...files, ...named], { cwd: folder, stdio: "ignore" });
    const read = (name: string): string => readFileSync(join(folder, name), "utf8");
    return { key: read("key.pem"), cert: read("cert.pem") };
  } finally {
    rmSync(folder, { recursive: true });
  }
}
