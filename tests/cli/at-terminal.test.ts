/** What a person meets at a terminal: the command runs in a real one, which `script` of util-linux makes. */
import { spawn, spawnSync } from "node:child_process";
import { stripVTControlCharacters } from "node:util";
import { expect, onTestFinished, test } from "vitest";
import { bin, Folder, pipelines } from "./command.ts";

const hasTerminal = spawnSync("script", ["--version"], { encoding: "utf8" }).stdout?.includes("util-linux");

function atTerminal(name: string, body: () => Promise<void>): void {
  if (hasTerminal) test(name, body);
  else
    test(`${name}: NOT TRIED, for there is no script of util-linux`, ({ annotate }) =>
      annotate("apt-get install util-linux").then(() => {}));
}

const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`;

/** Runs the command in a terminal of its own. */
function typed(folder: Folder, args: readonly string[]) {
  const command = `stty cols 100 rows 40; exec ${[process.execPath, bin, ...args].map(quoted).join(" ")}`;
  const child = spawn("script", ["--quiet", "--return", "--command", command, "/dev/null"], {
    cwd: folder.path,
  });
  onTestFinished(() => void child.kill());
  let shown = "";
  child.stdout.setEncoding("utf8").on("data", (text) => {
    shown += stripVTControlCharacters(text);
  });
  const ended = new Promise<number | null>((resolve) => child.once("exit", resolve));
  return {
    ended,
    shown: () => shown,
    sees: (text: string) => expect.poll(() => shown).toContain(text),
    press: (keys: string) => void child.stdin.write(keys),
  };
}

const asking = ["run", pipelines, "--export", "asking", "--input", "Hi", "--run-id", "r"];

atTerminal("a run asks by itself, and goes on with the answer that is typed", async () => {
  const folder = new Folder();
  const terminal = typed(folder, asking);
  await terminal.sees("Yes");
  terminal.press("y");
  expect(await terminal.ended).toBe(0);
  const { document } = await folder.json("lens", "show", "r");
  expect(document).toMatchObject({ run: { status: "completed" } });
  expect(terminal.shown()).toContain('"approved": true');
});

atTerminal(
  "whoever leaves a question open has a run that waits, and asks again when it is resumed",
  async () => {
    const folder = new Folder();
    const first = typed(folder, asking);
    await first.sees("Yes");
    first.press("\u0003");
    expect(await first.ended).toBe(3);
    const second = typed(folder, ["resume", "r"]);
    await second.sees("Yes");
    second.press("n");
    expect(await second.ended).toBe(0);
    expect(second.shown()).toContain('"approved": false');
  },
);

atTerminal("with --no-ask it waits at once", async () => {
  const terminal = typed(new Folder(), [...asking, "--no-ask"]);
  expect(await terminal.ended).toBe(3);
  expect(terminal.shown()).toContain("To answer: flujo approve r");
});
