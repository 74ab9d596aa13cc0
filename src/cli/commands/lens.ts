import type { Command } from "commander";
import { declare as costs } from "./lens/costs.ts";
import { declare as diff } from "./lens/diff.ts";
import { declare as exporting } from "./lens/export.ts";
import { declare as fork } from "./lens/fork.ts";
import { declare as list } from "./lens/list.ts";
import { declare as prune } from "./lens/prune.ts";
import { declare as replay } from "./lens/replay.ts";
import { declare as serve } from "./lens/serve.ts";
import { declare as show } from "./lens/show.ts";
import { declare as stats } from "./lens/stats.ts";
import { declare as trace } from "./lens/trace.ts";
import { declare as verify } from "./lens/verify.ts";
import { declare as versions } from "./lens/versions.ts";
import { declare as watch } from "./lens/watch.ts";

/** `flujo lens …`: each look at recorded runs has a file of its own. */
export function declare(program: Command, done: (exitCode: number) => void): void {
  const lens = program.command("lens").description("Look at recorded runs.");
  for (const look of [
    list,
    show,
    trace,
    watch,
    costs,
    stats,
    diff,
    replay,
    fork,
    versions,
    exporting,
    verify,
    prune,
    serve,
  ])
    look(lens, done);
}
