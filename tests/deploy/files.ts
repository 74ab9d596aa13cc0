/** What stands in the Dockerfile and the docker-compose.yml of examples/deploy. */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "yaml";

export const example = join(import.meta.dirname, "../../examples/deploy");

const read = (name: string): string => readFileSync(join(example, name), "utf8");

export interface Service {
  readonly image: string;
  readonly build?: string;
  readonly command?: readonly string[];
  readonly environment: { readonly [name: string]: string };
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly stop_grace_period?: string;
  readonly depends_on?: { readonly [service: string]: { readonly condition: string } };
  readonly deploy?: { readonly replicas: number };
  readonly read_only?: boolean;
}

export interface Composition {
  readonly services: { readonly [name: string]: Service };
  readonly volumes: { readonly [name: string]: unknown };
}

/** The compose file, with these variables in the place of those that it asks for. */
export function composition(variables: { readonly [name: string]: string }): Composition {
  const text = read("docker-compose.yml").replace(/^(?!\s*#).*$/gm, (line) =>
    line.replaceAll(/\$\{(\w+):\?[^}]*\}/g, (_, name: string) => {
      const value = variables[name];
      if (value === undefined) throw new Error(`docker-compose.yml asks for ${name}`);
      return value;
    }),
  );
  return parse(text, { merge: true }) as Composition; // as its tests find
}

/** The variables that .env.example names. */
export const variables = (): string[] =>
  [...read(".env.example").matchAll(/^(\w+)=$/gm)].map(([, name = ""]) => name);

/** The instructions of the Dockerfile, in order. */
export const instructions = (): (readonly [name: string, rest: string])[] =>
  read("Dockerfile")
    .split("\n")
    .filter((line) => line !== "" && !line.startsWith("#"))
    .map((line) => [line.slice(0, line.indexOf(" ")), line.slice(line.indexOf(" ") + 1)]);

/** The words of an instruction in its exec form: `["node", "x"]`. */
export function words(name: string): readonly string[] {
  const [, rest = ""] = instructions().find(([other]) => other === name) ?? [];
  return JSON.parse(rest.slice(rest.indexOf("["))) as string[]; // else it is no exec form, and this throws
}

export const ignored = (): string[] => read(".dockerignore").trim().split("\n");
