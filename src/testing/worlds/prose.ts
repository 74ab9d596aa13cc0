/** Texts as their sentences: what a prompt says is found, added and taken away by the sentence. */

/** A line is a sentence, or several that end in a stop; a list's marks are no part of them. */
export const sentencesOf = (text: string): string[] =>
  text
    .split("\n")
    .map((line) => line.replace(/^\s*(?:[-*•]|\d+[.)]|\[[^\]]*\])\s+/, ""))
    .flatMap((line) => line.split(/(?<=[.!?])\s+/))
    .map((sentence) => sentence.trim())
    .filter((sentence) => sentence !== "");

/** The text with a sentence more, as an item of a list. */
export const withSentence = (text: string, sentence: string): string =>
  `${text.trimEnd()}\n- ${sentence}`.trimStart();

/** The text without the sentences that are so; lines that are left empty go too. */
export function withoutSentences(text: string, isSo: (sentence: string) => boolean): string {
  const lines = text.split("\n").map((line) => {
    const gone = sentencesOf(line).filter(isSo);
    return gone
      .reduce((rest, sentence) => rest.replace(sentence, ""), line)
      .replace(/ {2,}/g, " ")
      .trimEnd();
  });
  const before = text.split("\n");
  return lines
    .filter((line, i) => line === before[i] || sentencesOf(line).length > 0)
    .join("\n")
    .trim();
}
