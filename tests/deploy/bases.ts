/**
 * The images that examples/deploy is built from, made here, for a machine that reaches no image registry: Debian by mmdebstrap, with
 * the Node.js and the npm of this machine, and Debian's Postgres. Under the names that its files ask for, unless there is an image of that name:
 * `docker rmi node:24-slim` when other packages are to be in it.
 *
 * What they do beside what the files lean on is not what the images of those names do: npm looks for packages in the image alone.
 */
import { cpSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { run } from "./application.ts";
import { composition, instructions } from "./files.ts";

const recipes = join(import.meta.dirname, "bases");
const suite = "trixie"; // whose Postgres is the one that docker-compose.yml names

/**
 * @param context the application's folder, with its lock file: what that names is put into the image of Node.js, so that the build
 *   needs no network.
 */
export function makeBases(context: string): void {
  const [, base = ""] = instructions().find(([name]) => name === "ARG") ?? [];
  make(base.replace("NODE=", ""), "node", ["ca-certificates", "libstdc++6"], (folder) => {
    cpSync(process.execPath, join(folder, "node"));
    cpSync(dirname(dirname(npm())), join(folder, "npm"), { recursive: true });
    const [cache, elsewhere] = [join(folder, "packages"), join(folder, "elsewhere")];
    cpSync(context, elsewhere, { recursive: true });
    run(
      "npm",
      ["ci", "--omit=dev", "--ignore-scripts", "--no-audit", "--no-fund", "--cache", cache],
      elsewhere,
    );
    rmSync(elsewhere, { recursive: true });
  });
  const { services } = composition({ POSTGRES_PASSWORD: "", FLUJO_TOKEN: "" });
  make(services.postgres?.image ?? "", "postgres", ["postgresql-17"], () => {});
}

function make(
  name: string,
  recipe: string,
  packages: readonly string[],
  add: (folder: string) => void,
): void {
  if (run("docker", ["images", "--quiet", name], recipes).trim() !== "") return;
  const made = mkdtempSync(join(tmpdir(), "flujo-base-"));
  try {
    for (const file of [`${recipe}.Dockerfile`, "postgres.sh"]) cpSync(join(recipes, file), join(made, file));
    run(
      "mmdebstrap",
      ["--quiet", "--variant=minbase", `--include=${packages.join(",")}`, suite, "debian.tar"],
      made,
    );
    add(made);
    run("docker", ["build", "--quiet", "--tag", name, "--file", `${recipe}.Dockerfile`, "."], made);
  } finally {
    rmSync(made, { recursive: true, force: true });
  }
}

/** The one that runs this script. */
function npm(): string {
  const found = process.env.npm_execpath;
  if (found === undefined) throw new Error("start this by npm run test:compose, which says where npm is");
  return found;
}
