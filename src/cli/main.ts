/** The `flujo` command: finds out what is asked, and hands it to the file of that command. */
import { Command, CommanderError } from "commander";
import { FlujoError } from "../core/errors.ts";
import { declare as declareRun } from "./commands/run.ts";
import { nothingKnown, printFault, printJson, refusalDocument } from "./document.ts";
import { exit, exitCodeOf } from "./exit.ts";
import { CommandError, sayError } from "./letter.ts";
import { rescueStalled } from "./stall.ts";
import { forgiveClosedPipes, say } from "./terminal.ts";

/** What a command's file offers: it describes itself, and hands its exit code to `done`. */
type Declare = (program: Command, done: (exitCode: number) => void) => void;

/** But for the one that is called most, loaded when they are called for: `flujo run` shall not wait for `flujo init`. */
const commands: { readonly [name: string]: () => Promise<{ readonly declare: Declare }> } = {
  run: async () => ({ declare: declareRun }),
  resume: () => import("./commands/resume.ts"),
  up: () => import("./commands/up.ts"),
  worker: () => import("./commands/worker.ts"),
  submit: () => import("./commands/submit.ts"),
  approve: async () => ({ declare: (await import("./commands/answer.ts")).declareApprove }),
  reject: async () => ({ declare: (await import("./commands/answer.ts")).declareReject }),
  answer: async () => ({ declare: (await import("./commands/answer.ts")).declareAnswer }),
  signal: async () => ({ declare: (await import("./commands/answer.ts")).declareSignal }),
  link: () => import("./commands/link.ts"),
  inbox: () => import("./commands/inbox.ts"),
  cancel: () => import("./commands/cancel.ts"),
  budget: () => import("./commands/budget.ts"),
  schedule: () => import("./commands/schedule.ts"),
  outbox: () => import("./commands/outbox.ts"),
  check: () => import("./commands/check.ts"),
  validate: () => import("./commands/validate.ts"),
  graph: () => import("./commands/graph.ts"),
  prices: () => import("./commands/prices.ts"),
  doctor: () => import("./commands/doctor.ts"),
  init: () => import("./commands/init.ts"),
  lens: () => import("./commands/lens.ts"),
  store: () => import("./commands/store.ts"),
  dataset: () => import("./commands/dataset.ts"),
  eval: () => import("./commands/eval.ts"),
  improve: () => import("./commands/improve.ts"),
};

/** What the user's code left open is given this long once the command is done. */
const openHandlesMs = 1_000;

/**
 * Does what the words say.
 *
 * @param argv without the program's name: `["run", "hello.ts"]`.
 * @returns the exit code; nothing here ends the process while output is on its way.
 */
export async function main(argv: readonly string[]): Promise<number> {
  forgiveClosedPipes();
  let finished = false;
  process.on("beforeExit", () => {
    if (finished || rescueStalled()) return;
    finished = true;
    say(
      "Nothing is left to wait for, and the command is not done: something it awaits can no longer happen.",
    );
    process.exitCode = exit.failed;
  });
  process.on("exit", (code) => {
    if (finished || code !== exit.completed) return;
    say("The process was ended before the command was done: the code it ran called process.exit.");
    process.exitCode = exit.failed;
  });
  try {
    return await dispatch(argv);
  } catch (error) {
    return await fail(error, argv);
  } finally {
    finished = true;
    setTimeout(() => process.exit(), openHandlesMs).unref();
  }
}

async function dispatch(argv: readonly string[]): Promise<number> {
  let code: number = exit.completed;
  const program = new Command("flujo")
    .description("Durable, budget-safe workflows for LLM agents.")
    .exitOverride()
    .showHelpAfterError("Try flujo --help.")
    .enablePositionalOptions() // what stands after a command is for it to read
    .configureHelp({ showGlobalOptions: false });
  if (argv[0] === "--version" || argv[0] === "-V")
    program.version((await import("./version.ts")).ownVersion());
  else program.option("-V, --version", "the version of Flujo");
  const asked = commands[argv[0] ?? ""];
  for (const load of asked === undefined ? Object.values(commands) : [asked]) {
    (await load()).declare(program, (exitCode) => {
      code = exitCode;
    });
  }
  await program.parseAsync(argv, { from: "user" });
  return code;
}

async function fail(error: unknown, argv: readonly string[]): Promise<number> {
  if (error instanceof CommanderError) {
    // Commander has said what it had to say.
    if (error.exitCode === 0) return exit.completed;
    const usage = new CommandError("usage", error.message);
    if (takesJson(argv)) await printJson(refusalDocument(nothingKnown(), usage));
    if (looksForJson(argv)) await printFault(usage);
    return exit.invalid;
  }
  if (looksForJson(argv)) await printFault(error);
  sayError(error);
  return exitCodeOf(FlujoError.isInstance(error) ? error.code : "");
}

const takesJson = (argv: readonly string[]): boolean =>
  (argv[0] === "run" || argv[0] === "resume") && argv.includes("--json");

const looksForJson = (argv: readonly string[]): boolean => argv[0] === "lens" && argv.includes("--json");
