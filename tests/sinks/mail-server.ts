import type { AddressInfo, Socket } from "node:net";
import { type ParsedMail, simpleParser } from "mailparser";
import { SMTPServer } from "smtp-server";
import type { FarEnd } from "../../src/testing/test-sink.ts";

/** A real SMTP server on this machine, which wants a password, and behaves as it is told. */
export interface MailServer {
  /** With the password. */
  readonly url: string;
  readonly mails: readonly { readonly raw: string; readonly parsed: ParsedMail }[];
  does: FarEnd;
  /** Addresses that are refused while others are taken. */
  readonly unknown: Set<string>;
  close(): Promise<void>;
}

export const password = "the-smtp-password";

const failure = (responseCode: number, text: string): Error =>
  Object.assign(new Error(text), { responseCode });

export async function mailServer(): Promise<MailServer> {
  const mails: { raw: string; parsed: ParsedMail }[] = [];
  const unknown = new Set<string>();
  const server = new SMTPServer({
    disabledCommands: ["STARTTLS"],
    allowInsecureAuth: true,
    onAuth: (auth, _, answer) =>
      auth.password === password
        ? answer(null, { user: auth.username })
        : answer(failure(535, `no such password: ${auth.password}`)),
    onConnect: (_, answer) => {
      if (box.does !== "hangs") answer();
    },
    onRcptTo: ({ address }, _, answer) => {
      if (box.does === "refuses" || unknown.has(address))
        return answer(failure(550, `no mailbox for ${password}`));
      if (box.does === "busy") return answer(failure(451, `come back later with ${password}`));
      answer();
    },
    onData: (stream, _, answer) => {
      const parts: Buffer[] = [];
      stream.on("data", (part: Buffer) => parts.push(part));
      stream.on("end", async () => {
        const raw = Buffer.concat(parts);
        mails.push({ raw: raw.toString(), parsed: await simpleParser(raw) });
        answer();
      });
    },
  });
  server.server.prependListener("connection", (socket: Socket) => {
    if (box.does === "breaks") socket.resetAndDestroy();
  });
  server.on("error", () => {}); // connections that are broken off on purpose
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.server.address() as AddressInfo; // it listens on a port
  const box: MailServer = {
    url: `smtp://flujo:${password}@127.0.0.1:${port}`,
    mails,
    unknown,
    does: "takes",
    close: () => new Promise((resolve) => server.close(() => resolve())),
  };
  return box;
}
