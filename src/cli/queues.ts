import { checkedName } from "../core/dispatch.ts";

/** The queues of `--queues`; undefined: all. @throws InvalidOptionError */
export function queuesOf(text: string): readonly string[] | undefined {
  if (text === "*") return undefined;
  const names = text.split(",").map((name) => checkedName("queue", name.trim()));
  return [...new Set(names)];
}
