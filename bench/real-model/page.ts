import type { Chapter, Wrong } from "./chapter.ts";

const longest = 220;

/** A chapter as Markdown. */
export function page({ title, lines, wrong = [] }: Chapter): string {
  const verdicts = { true: "kept", false: "**broken**", undefined: "" };
  const rows = lines.map(({ what, figure, kept }) => `| ${what} | ${figure} | ${verdicts[`${kept}`]} |`);
  return [
    `### ${title}`,
    ["|  | found | promise |", "| --- | ---: | --- |", ...rows].join("\n"),
    ...(wrong.length === 0 ? [] : ["Wrong, word for word:", wrong.map(quoted).join("\n")]),
  ].join("\n\n");
}

function quoted({ asked, said, but }: Wrong): string {
  const one = said.replaceAll(/\s+/g, " ").trim();
  const text = one.length > longest ? `${one.slice(0, longest)} …` : one;
  return `- ${asked} → ${text === "" ? "(nothing)" : `\`${text.replaceAll("`", "'")}\``}: ${but}.`;
}
