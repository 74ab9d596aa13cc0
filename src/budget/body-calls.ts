/** What of a context costs nothing, whatever a body does with it. */
const free = "state|set|update|path|runId|attempt|signal|idempotencyKey|run|sleep";

/**
 * Whether the body of a step may spend money, as far as its source tells: false only where it takes no context, or uses
 * nothing of it that could. A context that is handed on, or taken apart in a way not understood, may spend.
 */
export function maySpend(work: (...args: never) => unknown): boolean {
  const source = String(work);
  if (source.includes("[native code]") || /\barguments\b/.test(source)) return true;
  const parameters = parametersOf(source);
  if (parameters === undefined) return true;
  const [, context, ...more] = parameters;
  if (context === undefined) return false;
  if (more.length > 0) return true;
  if (/^[\w$]+$/.test(context)) {
    const name = context.replaceAll("$", "\\$");
    const rest = source.slice(source.indexOf(context) + context.length);
    const harmless = new RegExp(`(?<![\\w$.])${name}\\s*\\??\\.\\s*(?:${free})(?![\\w$])`, "g");
    return new RegExp(`(?<![\\w$.])${name}(?![\\w$])`).test(rest.replace(harmless, " "));
  }
  const fields = /^\{([\w$\s,]*)\}$/
    .exec(context)?.[1]
    ?.split(",")
    .map((field) => field.trim());
  return fields === undefined || !fields.every((field) => new RegExp(`^(?:${free})?$`).test(field));
}

/** The texts of a function's parameters; undefined where they are more than names and plain braces. */
function parametersOf(source: string): string[] | undefined {
  const bare = /^(?:async\s+)?([\w$]+)\s*=>/.exec(source);
  if (bare) return [bare[1] as string]; // it matched
  const list = /^(?:async\s+)?(?:function\b\s*)?\*?\s*[\w$]*\s*\(([^()]*)\)/.exec(source)?.[1];
  if (list === undefined || /\.\.\.|=|\[/.test(list)) return undefined;
  return list
    .split(/,(?![^{}]*\})/)
    .map((parameter) => parameter.trim())
    .filter((parameter) => parameter !== "");
}
