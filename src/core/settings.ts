/**
 * Settings that a step, a choice of branches or a loop declares: values its code goes by, which are data, so that an overlay
 * can change them without touching the code.
 */
import { InvalidOptionError } from "./errors.ts";
import { type ImprovableFields, longestText } from "./improvable.ts";
import type { Json, JsonObject } from "./json.ts";

/** One setting: its value, what it may be, and whether `flujo improve` may change it (default: it may not). */
export type SettingTerms =
  | {
      readonly type: "number" | "integer";
      readonly value: number;
      /** Both within. A setting that may be improved has both. */
      readonly min?: number;
      readonly max?: number;
      readonly mayChange?: boolean;
    }
  | {
      readonly type: "choice";
      readonly value: string | number | boolean;
      readonly choices: readonly (string | number | boolean)[];
      readonly mayChange?: boolean;
    }
  | {
      readonly type: "text";
      readonly value: string;
      /** In UTF-16 units. Default 50,000. */
      readonly maxLength?: number;
      readonly mayChange?: boolean;
    };

/** Settings by name: `{ threshold: { type: "number", value: 0.5, min: 0, max: 1 } }`. */
export type SettingsTerms = { readonly [name: string]: SettingTerms };

/** What code finds in `settings`. */
export type SettingValues<S extends SettingsTerms> = {
  readonly [Name in keyof S]: S[Name] extends { readonly choices: readonly (infer Choice)[] }
    ? Choice
    : S[Name] extends { readonly type: "text" }
      ? string
      : number;
};

/**
 * Settings that are as they should be.
 *
 * @param who `step "route"`, for messages.
 * @throws InvalidOptionError naming the setting.
 */
export function checkedSettings(who: string, settings: SettingsTerms): SettingsTerms {
  for (const [name, terms] of Object.entries(settings)) {
    const wrong = wrongName(name) ?? wrongTerms(terms) ?? wrongValue(terms, terms.value);
    if (wrong !== undefined) throw new InvalidOptionError(`the setting "${name}" of ${who} ${wrong}`);
  }
  return Object.freeze({ ...settings });
}

/** What the code of a place finds in `settings`. */
export const settingsOf = ({ settings }: { readonly settings?: SettingsTerms }): object =>
  settings === undefined ? none : Object.freeze(settingValues(settings));
const none: object = Object.freeze({});

/** The values by their names. */
export const settingValues = (settings: SettingsTerms): JsonObject =>
  Object.fromEntries(Object.entries(settings).map(([name, { value }]) => [name, value]));

/** Settings as what an overlay can change. */
export const settingFields = (settings: SettingsTerms): ImprovableFields =>
  Object.fromEntries(
    Object.entries(settings).map(([name, { mayChange = false, ...terms }]) => [
      name,
      { ...(terms.type === "text" ? { maxLength: longestText } : {}), ...terms, mayChange },
    ]),
  );

/**
 * The same settings with other values. All of them have to be there.
 *
 * @throws InvalidOptionError for a setting that does not exist, or a value out of its bounds.
 */
export function changedSettings(who: string, settings: SettingsTerms, values: JsonObject): SettingsTerms {
  const names = Object.keys(settings);
  for (const name of new Set([...Object.keys(values), ...names])) {
    const [terms, value] = [settings[name], values[name]];
    const isKnown = Object.hasOwn(settings, name) && terms !== undefined;
    const wrong = !isKnown
      ? "does not exist"
      : value === undefined
        ? "is left out"
        : wrongValue(terms, value);
    if (wrong === undefined) continue;
    throw new InvalidOptionError(`the setting "${name}" of ${who} ${wrong}`, {
      hint: `An overlay changes ${names.join(", ")}.`,
    });
  }
  const changed = names.map((name) => [name, { ...settings[name], value: values[name] }] as const);
  return Object.freeze(Object.fromEntries(changed)) as SettingsTerms; // each value fits its terms
}

const wrongName = (name: string): string | undefined =>
  /^[A-Za-z_]\w{0,63}$/.test(name) && name !== "attempts" && !Object.hasOwn(Object.prototype, name)
    ? undefined
    : 'cannot be called so: a name has letters, digits and _, and "attempts" is the retry\'s';

function wrongTerms(terms: SettingTerms): string | undefined {
  switch (terms?.type) {
    case "number":
    case "integer": {
      const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, mayChange = false } = terms;
      if (!(min <= max)) return `has the bounds ${min} and ${max}`;
      return mayChange && !(Number.isFinite(min) && Number.isFinite(max))
        ? "may be improved, and has no bounds: give it min and max"
        : undefined;
    }
    case "choice":
      return Array.isArray(terms.choices) && terms.choices.length > 0 ? undefined : "has no choices";
    case "text":
      return undefined;
    default:
      return 'has no type: it is "number", "integer", "choice" or "text"';
  }
}

function wrongValue(terms: SettingTerms, value: Json): string | undefined {
  const shown = JSON.stringify(value);
  switch (terms.type) {
    case "choice":
      return terms.choices.some((one) => one === value)
        ? undefined
        : `is ${shown}; it takes ${terms.choices.map((one) => JSON.stringify(one)).join(", ")}`;
    case "text": {
      const { maxLength = longestText } = terms;
      if (typeof value !== "string") return `is ${shown}; it takes a text`;
      return value.length <= maxLength
        ? undefined
        : `has ${value.length} characters; it takes at most ${maxLength}`;
    }
    default: {
      const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, type } = terms;
      const isKind = type === "integer" ? Number.isSafeInteger(value) : Number.isFinite(value);
      if (!isKind) return `is ${shown}; it takes ${type === "integer" ? "a whole number" : "a number"}`;
      return (value as number) >= min && (value as number) <= max // isKind says so
        ? undefined
        : `is ${shown}; it takes ${min} to ${max}`;
    }
  }
}
