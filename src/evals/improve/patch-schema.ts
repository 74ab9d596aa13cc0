/** What patch files and overlay files look like, so that one that was edited by hand is read or refused. */
import Type, { type TSchema } from "typebox";
import Value from "typebox/value";
import { InvalidOptionError } from "../../core/errors.ts";
import type { OverlayFile } from "./overlay-file.ts";
import { wholeField } from "./overlay-shape.ts";
import type { PatchFile } from "./patch-file.ts";
import { jsonIn } from "./untrusted.ts";

const closed = { additionalProperties: false };
const text = Type.String();
const number = Type.Number();
const count = Type.Integer({ minimum: 0 });
const id = Type.String({ pattern: "^[0-9a-f]{12}$" });
const moment = Type.String({ pattern: "^\\d{4}-\\d\\d-\\d\\dT\\d\\d:\\d\\d:\\d\\d(\\.\\d+)?Z$" });
/** A whole field of a place. */
const pointer = Type.String({ pattern: wholeField.source });

const overlay = Type.Array(
  Type.Union([
    Type.Object(
      {
        op: Type.Union([Type.Literal("test"), Type.Literal("add"), Type.Literal("replace")]),
        path: pointer,
        value: Type.Unknown(),
      },
      closed,
    ),
    Type.Object({ op: Type.Literal("remove"), path: pointer }, closed),
  ]),
);

/** Of a difference. One of a single cluster has no standard error, which JSON writes as null. */
const difference = {
  mean: number,
  low: number,
  high: number,
  p: number,
  standardError: Type.Union([number, Type.Null()]),
  cases: count,
  clusters: count,
};

const promotion = Type.Object(
  {
    verdict: Type.Union(
      ["promote", "insufficient-evidence", "no-gain", "slice-regressed", "too-costly"].map((verdict) =>
        Type.Literal(verdict),
      ),
    ),
    difference: Type.Object(difference, closed),
    confidence: number,
    look: count,
    slices: Type.Record(
      text,
      Type.Object(
        {
          ...difference,
          worse: number,
          regressed: Type.Union(["no", "maybe", "yes"].map((word) => Type.Literal(word))),
        },
        closed,
      ),
    ),
    cost: Type.Object({ before: text, after: text }, closed),
    casesNeeded: Type.Optional(count),
    why: text,
  },
  closed,
);

const evidence = Type.Object(
  {
    dataset: Type.Object({ name: text, hash: text }, closed),
    cases: Type.Object({ train: count, validation: count, test: count }, closed),
    scorers: Type.Array(text),
    promotion,
    lineage: Type.Array(
      Type.Object(
        { id: text, parents: Type.Array(text), by: text, note: text, score: Type.Optional(number) },
        closed,
      ),
    ),
    reflector: Type.Union([text, Type.Null()]),
    seed: count,
    rollouts: count,
    costUsd: text,
  },
  closed,
);

const patch = Type.Object(
  {
    version: Type.Literal(1),
    id,
    pipeline: text,
    fingerprint: text,
    patch: overlay,
    inverse: overlay,
    evidence: Type.Optional(evidence),
  },
  closed,
);

const overlays = Type.Object(
  {
    version: Type.Literal(1),
    pipelines: Type.Record(
      text,
      Type.Array(
        Type.Union([
          Type.Object({ kind: Type.Literal("applied"), at: moment, patch }, closed),
          Type.Object({ kind: Type.Literal("reverted"), at: moment, id }, closed),
        ]),
      ),
    ),
  },
  closed,
);

const schemas = { patch, overlay: overlays };
interface Files {
  readonly patch: PatchFile;
  readonly overlay: OverlayFile;
}

/**
 * What a file says.
 *
 * @throws InvalidOptionError that says what is wrong with it, and where.
 */
export function read<Kind extends keyof Files>(kind: Kind, text: string, name: string): Files[Kind] {
  const json = jsonIn(text, name);
  const schema: TSchema = schemas[kind];
  if (!Value.Check(schema, json)) {
    const [first] = Value.Errors(schema, json);
    const where = first?.instancePath ? ` at ${first.instancePath}` : "";
    throw new InvalidOptionError(`${name} is no ${kind} file: ${first?.message ?? "it is another"}${where}`, {
      hint: "flujo improve writes such files, of version 1: take it as it was written, or update Flujo.",
    });
  }
  return json as unknown as Files[Kind]; // the schema says so
}
