import type { ExperimentDocument, Listed } from "./document.ts";

/** Everything about an experiment, as `flujo eval --json` prints it: the text is never in memory as a whole. */
export async function* jsonOf(
  document: ExperimentDocument,
  { cases, records }: Listed,
): AsyncGenerator<string> {
  const { comparison, verdict, look, caution, ...about } = document;
  const named = function* () {
    for (const { caseId, score, tags } of cases()) yield { caseId, score, tags };
  };
  yield opened(about);
  yield* list("cases", named());
  yield `,${inside({ comparison, verdict, look, caution })}`;
  yield* list("records", records());
  yield "\n}\n";
}

/** An object, as far as its fields go that are known: others follow. */
const opened = (fields: object): string => `{${inside(fields)}`;

const inside = (fields: object): string => JSON.stringify(fields, null, 2).slice(1, -"\n}".length);

async function* list(
  name: string,
  items: Iterable<unknown> | AsyncIterable<unknown>,
): AsyncGenerator<string> {
  yield `,\n  ${JSON.stringify(name)}: [`;
  let isEmpty = true;
  for await (const item of items) {
    yield `${isEmpty ? "" : ","}\n    ${JSON.stringify(item, null, 2).replaceAll("\n", "\n    ")}`;
    isEmpty = false;
  }
  yield isEmpty ? "]" : "\n  ]";
}
