import { publishedProviders } from "../../agents/published-providers.ts";
import { FlujoError } from "../../core/errors.ts";
import { importPackage } from "../../ports/optional-package.ts";
import { ownVersion } from "../version.ts";
import { type Finding, failure, findingsOn } from "./finding.ts";

/** What runs Flujo: an older Node does not come this far. */
export function node(): Finding {
  const { version, platform, arch } = process;
  return findingsOn("node").fine(`Flujo ${ownVersion()} on Node.js ${version}, ${platform} ${arch}`);
}

/** The providers that the environment has keys for. Nothing is sent to any of them. */
export async function providers(): Promise<Finding[]> {
  const findings: Finding[] = [];
  for (const [name, published] of Object.entries(publishedProviders)) {
    const { fine } = findingsOn(name);
    try {
      if (!isConfigured(name)) continue;
      published.settings();
      await importPackage(published.package);
      findings.push(fine(`has what it needs; ${published.package} is installed`));
    } catch (error) {
      const isUnused = FlujoError.isInstance(error) && error.code === "missing-key";
      if (!isUnused) findings.push(failure(name, error));
    }
  }
  return findings;
}

/** Ollama needs nothing set: it is looked at where something is. And of one package, one name is enough. */
const isConfigured = (name: string): boolean =>
  name === "ollama"
    ? Boolean(process.env.OLLAMA_BASE_URL || process.env.OLLAMA_HOST)
    : name !== "openai.chat";
