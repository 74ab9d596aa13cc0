import type { Command } from "commander";
import { engine } from "../doctor/engine.ts";
import type { Finding } from "../doctor/finding.ts";
import { node, providers } from "../doctor/machine.ts";
import { store } from "../doctor/store.ts";
import { printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { count } from "../format.ts";
import { anyStoreOption, engineOption, jsonOption } from "../options.ts";
import { readSettings } from "../settings.ts";
import { paint, printable, say, sayStyled } from "../terminal.ts";

interface Flags {
  readonly store?: string;
  readonly engine?: string;
  readonly json?: boolean;
}

/** `flujo doctor` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  program
    .command("doctor")
    .description(
      "Look at the store, the engine, their servers' settings, and this machine; say what to change. Changes nothing.",
    )
    .addOption(anyStoreOption())
    .addOption(engineOption())
    .addOption(jsonOption())
    .addHelpText("after", "\nThe exit code is 1 where something is at fault, else 0.")
    .action(async (flags: Flags) => done(await doctor(flags)));
}

async function doctor(flags: Flags): Promise<number> {
  const settings = await readSettings(flags);
  const queue = settings.engine === undefined ? [] : await engine(settings.engine);
  const findings = [node(), ...(await store(settings.store)), ...queue, ...(await providers())];
  const faults = findings.filter(({ grade }) => grade === "fault").length;
  if (flags.json) await printJson({ ok: faults === 0, findings });
  else {
    for (const finding of findings) tell(finding);
    say(faults === 0 ? "Nothing is at fault." : `${count(faults, "fault")}.`);
  }
  return faults === 0 ? exit.completed : exit.failed;
}

const colours = { fine: "green", advice: "yellow", fault: "red" } as const;

function tell({ about, grade, message, remedy }: Finding): void {
  sayStyled(`${paint(colours[grade], grade.padEnd(6))}  ${about.padEnd(8)}  ${printable(message)}`);
  if (remedy !== undefined) say(`${" ".repeat(18)}${remedy}`);
}
