import { type Command, Option } from "commander";
import { decode } from "../../core/codec.ts";
import { InvalidOptionError } from "../../core/errors.ts";
import { fittingInput, rootOf } from "../../engine/root.ts";
import { nodeWorld } from "../../node-world.ts";
import type { Store } from "../../ports/store.ts";
import { extraRunId } from "../../schedules/ids.ts";
import {
  addSchedule,
  changeKnown,
  knownSchedule,
  removeSchedule,
  setSchedule,
} from "../../schedules/plan.ts";
import {
  type MissedPolicy,
  newSchedule,
  type OverlapPolicy,
  paused,
  type Schedule,
  unpaused,
} from "../../schedules/schedule.ts";
import { nextTicks, ticksOf } from "../../schedules/ticks.ts";
import { scheduleViews } from "../../schedules/view.ts";
import { advance } from "../advance.ts";
import { budgetOf, type LimitFlags } from "../amounts.ts";
import { answering, type Known, printJson } from "../document.ts";
import { exit } from "../exit.ts";
import { inputOf } from "../input.ts";
import { loadPipeline } from "../load/pipeline.ts";
import {
  type AdvanceFlags,
  advancing,
  exportOption,
  inputJsonOption,
  jsonOption,
  maxTokensOption,
  storeOption,
} from "../options.ts";
import { scheduleListText, ticksText } from "../schedule-text.ts";
import { readSettings, type Settings } from "../settings.ts";
import { isThere, nameOf, openStore, otherStore } from "../stores.ts";
import { result, say } from "../terminal.ts";
import { whoAmI } from "../user.ts";

interface Flags {
  readonly store?: string;
  readonly json?: boolean;
}

interface AddFlags extends Flags, LimitFlags {
  readonly cron: string;
  readonly timeZone?: string;
  readonly name?: string;
  readonly export?: string;
  readonly input?: string;
  readonly inputJson?: string;
  readonly missed: MissedPolicy;
  readonly overlap: OverlapPolicy;
  readonly replace?: boolean;
}

interface RunFlags extends AdvanceFlags {
  readonly store?: string;
}

const shownTicks = 5;

/** `flujo schedule add FILE`, `list`, `pause NAME`, `unpause NAME`, `remove NAME`, `run NAME` */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const schedule = program
    .command("schedule")
    .description("Runs at times of a plan. flujo up starts them; each tick has one run.");
  schedule
    .command("add <file>")
    .description("Run the pipeline of a file at each tick of a cron expression, from now on.")
    .requiredOption(
      "--cron <expression>",
      "'0 9 * * 1': Mondays at nine; six fields begin with seconds; @daily",
    )
    .option("--time-zone <name>", "as Europe/Madrid (default: that of this machine)")
    .option("--name <name>", "the schedule's name (default: the pipeline's)")
    .addOption(exportOption("to run"))
    .option(
      "--input <text>",
      "the input of each run: a text; @FILE for a file's text now; - for standard input",
    )
    .addOption(inputJsonOption())
    .option("--budget <amount>", "the most each run may cost: '$0.50' (in single quotes)")
    .addOption(maxTokensOption("the most tokens each run may use"))
    .addOption(
      new Option("--missed <policy>", "of ticks that nobody was there for, run none, the last, or all (100)")
        .choices(["skip", "last", "all"])
        .default("last"),
    )
    .addOption(
      new Option("--overlap <policy>", "while the run of an earlier tick is under way, start or skip")
        .choices(["allow", "skip"])
        .default("allow"),
    )
    .option("--replace", "change the schedule of that name, if there is one")
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (file: string, flags: AddFlags) => done(await add(file, flags)));
  schedule
    .command("list")
    .description("The schedules of a store: when they run next and how the last run stands.")
    .addOption(storeOption())
    .addOption(jsonOption())
    .action(async (flags: Flags) => done(await list(flags)));
  schedule
    .command("pause <name>")
    .description("Let ticks pass by, until it is unpaused. Runs that have started go on.")
    .addOption(storeOption())
    .action(async (name: string, flags: Flags) => done(await pause(name, flags)));
  schedule
    .command("unpause <name>")
    .description("Run at ticks again, from now on.")
    .addOption(storeOption())
    .action(async (name: string, flags: Flags) => done(await unpause(name, flags)));
  schedule
    .command("remove <name>")
    .description("Forget a schedule. Runs that it has started stay, and go on.")
    .addOption(storeOption())
    .action(async (name: string, flags: Flags) => done(await remove(name, flags)));
  const run = schedule
    .command("run <name>")
    .description("Run it here and now, outside of its plan, with its input and budget.")
    .addOption(storeOption());
  advancing(run).action(async (name: string, flags: RunFlags) =>
    done(await answering(flags, (known) => runNow(name, flags, known))),
  );
}

async function add(file: string, flags: AddFlags): Promise<number> {
  const { cron, timeZone = Intl.DateTimeFormat().resolvedOptions().timeZone, missed, overlap } = flags;
  const ticks = ticksOf(cron, timeZone); // a slip of the pen is told before anything loads
  const budget = budgetOf(flags);
  const input = await inputOf(flags);
  const settings = await readSettings(flags);
  const { node, ...origin } = await loadPipeline(file, flags.export);
  const root = rootOf(node);
  await fittingInput(root, input);
  const by = whoAmI();
  const { name: pipeline } = root.pipeline;
  const subject = {
    name: flags.name ?? pipeline,
    pipeline,
    origin: { file: origin.file, export: origin.export },
    input,
    ...(by === undefined ? {} : { by }),
  };
  const terms = { cron, timeZone, missed, overlap, ...(budget === undefined ? {} : { budget }) };
  const now = Date.now();
  const schedule = newSchedule(subject, terms, now);
  return withStore(settings, async (store) => {
    if (store.durability === "volatile") throw inMemory(settings);
    await (flags.replace ? setSchedule : addSchedule)(store, schedule);
    const next = nextTicks(ticks, now, shownTicks);
    if (flags.json) {
      const views = await scheduleViews(store, now);
      const view = views.find(({ name }) => name === schedule.name);
      await printJson({ ...view, ticks: next.map((tick) => new Date(tick).toISOString()) });
      return exit.completed;
    }
    say(`Schedule ${schedule.name}: ${pipeline} at ${cron}, ${timeZone}. Its next ticks:`);
    await result(`${ticksText(next, timeZone)}\n`);
    say("They are run by flujo up.");
    return exit.completed;
  });
}

async function list(flags: Flags): Promise<number> {
  const settings = await readSettings(flags);
  const now = Date.now();
  const schedules = isThere(settings.store)
    ? await withStore(settings, (store) => scheduleViews(store, now))
    : [];
  if (flags.json) await printJson({ schedules });
  else if (schedules.length > 0) await result(`${scheduleListText(schedules, now)}\n`);
  else
    say(
      `There are no schedules in ${nameOf(settings.store)}. Add one: flujo schedule add FILE --cron '0 9 * * 1'`,
    );
  return exit.completed;
}

async function pause(name: string, flags: Flags): Promise<number> {
  await withSchedules(name, flags, (store) => changeKnown(store, name, paused));
  say(`Schedule ${name} is paused.`);
  return exit.completed;
}

async function unpause(name: string, flags: Flags): Promise<number> {
  const now = Date.now();
  const schedule = await withSchedules(name, flags, (store) =>
    changeKnown(store, name, (before) => unpaused(before, now)),
  );
  const next = nextTicks(ticksOf(schedule.cron, schedule.timeZone), now, 1);
  say(`Schedule ${name} runs again. Its next tick:`);
  await result(`${ticksText(next, schedule.timeZone)}\n`);
  return exit.completed;
}

async function remove(name: string, flags: Flags): Promise<number> {
  await withSchedules(name, flags, (store) => removeSchedule(store, name));
  say(`Schedule ${name} is removed.`);
  return exit.completed;
}

async function runNow(name: string, flags: RunFlags, known: Known): Promise<number> {
  const settings = await readSettings(flags);
  return withSchedules(name, flags, async (store) => {
    const { schedule } = await knownSchedule(store, name);
    const { file, export: exported } = originOf(schedule);
    const loaded = await loadPipeline(file, exported);
    const runId = extraRunId(name, nodeWorld().id());
    known.runId = runId;
    const budget = schedule.budget ?? settings.budget;
    const options = { runId, ...(budget === undefined ? {} : { budget }) };
    return await advance({
      loaded,
      store,
      settings,
      flags,
      known,
      begin: (flujo) => flujo.start(decode(schedule.input), options),
    });
  });
}

function originOf({ name, origin }: Schedule): { readonly file: string; readonly export: string } {
  if (origin !== undefined) return origin;
  throw new InvalidOptionError(
    `schedule ${name} was made by a program, or over HTTP: which file its pipeline is in is not known`,
    {
      hint: "Start a run from that program, or with flujo run FILE.",
    },
  );
}

/** Opens the store in which a schedule is looked for; it is not made where there is none. */
async function withSchedules<T>(name: string, flags: Flags, work: (store: Store) => Promise<T>): Promise<T> {
  const settings = await readSettings(flags);
  if (isThere(settings.store)) return withStore(settings, work);
  throw new InvalidOptionError(
    `there is no schedule ${name}: the store ${nameOf(settings.store)} is empty or not there`,
    { hint: otherStore },
  );
}

async function withStore<T>({ store: uri }: Settings, work: (store: Store) => Promise<T>): Promise<T> {
  const store = typeof uri === "string" ? await openStore(uri) : uri;
  try {
    return await work(store);
  } finally {
    await store.close();
  }
}

const inMemory = (settings: Settings): InvalidOptionError =>
  new InvalidOptionError(`a schedule in ${nameOf(settings.store)} would be gone with this command`, {
    hint: "Choose a store that stays: --store sqlite:.flujo/flujo.db",
  });
