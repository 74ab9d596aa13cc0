/** Real processes that are killed while they tell, receivers that fail in every way: nothing is lost. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { Webhook } from "standardwebhooks";
import { expect, onTestFinished, test } from "vitest";
import { undeliveredIn } from "../../src/events/undelivered.ts";
import { file } from "../../src/stores/file.ts";
import { sqlite } from "../../src/stores/sqlite.ts";
import { chance } from "../../src/testing/chance.ts";
import { httpReceiver, type Received } from "./http-receiver.ts";
import { mailServer } from "./mail-server.ts";
import type { Telling } from "./teller.ts";

const secret = `whsec_${Buffer.from("0123456789abcdef0123456789abcdef").toString("base64")}`;
const wantedKills = 6;

/** Starts the process, and hands out how to kill it. Resolves when it has ended. @throws what it said, when it failed. */
async function tell(telling: Telling, started: (kill: () => void) => void): Promise<"killed" | "ended"> {
  const worker = join(import.meta.dirname, "teller.ts");
  const child = spawn(process.execPath, [worker, JSON.stringify(telling)], {
    stdio: ["ignore", "ignore", "pipe"],
  });
  let said = "";
  child.stderr.setEncoding("utf8").on("data", (text) => {
    said += text;
  });
  started(() => void child.kill("SIGKILL"));
  const [code, signal] = await once(child, "close");
  if (signal === "SIGKILL") return "killed";
  if (code !== 0) throw new Error(said);
  return "ended";
}

const seqOf = ({ body }: Received): number => JSON.parse(body).data.seq;

test.each(["sqlite", "file"] as const)(
  "%s: every event arrives at least once, in order, whatever is killed",
  async (kind) => {
    const folder = mkdtempSync(join(tmpdir(), "flujo-sinks-"));
    const [receiver, mail] = [await httpReceiver(), await mailServer()];
    onTestFinished(async () => {
      await Promise.all([receiver.close(), mail.close()]);
      rmSync(folder, { recursive: true, force: true });
    });
    const place = join(folder, kind === "sqlite" ? "flujo.db" : "journals");
    const telling = { kind, place, runId: "r", hooks: receiver.url, secret, mail: mail.url };
    const store = kind === "sqlite" ? sqlite(place) : file(place);
    onTestFinished(() => store.close());

    const luck = chance(kind.length);
    const got: Received[] = [];
    let kills = 0;
    let kill = (): void => {};
    let isCalm = false;
    receiver.does = (response, received) => {
      const dice = isCalm ? 1 : luck.next();
      if (dice < 0.06) return void response.writeHead(500).end(); // refused before it was taken
      if (dice < 0.12) return void response.destroy(); // the connection is reset
      got.push(received);
      if (kills < wantedKills && got.length % 2 === 0) {
        kills++;
        return kill(); // taken, and whoever sent it dies before it hears of that
      }
      if (dice < 0.16) return; // taken, and never answered
      if (dice < 0.2) return void response.destroy(); // taken, and the answer lost
      if (dice < 0.5) return void setTimeout(() => response.end(), 50);
      response.end();
    };
    const moods = setInterval(() => {
      mail.does = isCalm ? "takes" : luck.pick(["takes", "takes", "busy", "breaks"] as const);
    }, 40);
    onTestFinished(() => clearInterval(moods));

    for (let lives = 0; lives < 40; lives++) {
      isCalm = kills >= wantedKills && lives > wantedKills;
      const how = await tell(telling, (die) => {
        kill = die;
      });
      if (how === "ended" && (await undeliveredIn(store)).waiting.length === 0) break;
    }
    expect(kills).toBe(wantedKills);
    expect(await undeliveredIn(store)).toEqual({ waiting: [], dead: [] });

    const journal = (await store.read("r", 0, 1_000)) ?? [];
    expect(journal.at(-1)?.type).toBe("run-completed");
    const first = new Map<number, Received>();
    for (const one of got) {
      new Webhook(secret).verify(one.body, one.headers as Record<string, string>);
      const known = first.get(seqOf(one));
      if (known === undefined) first.set(seqOf(one), one);
      else {
        expect(one.headers["webhook-id"]).toBe(known.headers["webhook-id"]);
        expect(one.body).toBe(known.body);
      }
    }
    expect([...first.keys()]).toEqual(journal.map(({ seq }) => seq));
    expect(new Set([...first.values()].map(({ headers }) => headers["webhook-id"])).size).toBe(
      journal.length,
    );
    expect(got.length).toBeGreaterThan(journal.length); // what was killed after it had sent, was sent again

    const told = journal.filter(({ type }) =>
      ["run-created", "step-completed", "run-completed"].includes(type),
    );
    const mails = new Set(mail.mails.map(({ parsed }) => parsed.messageId));
    expect(mails.size).toBe(told.length);
  },
  120_000,
);
