/** The shop around the desk: its orders, its till, its shelf. Files stand for what would be other people's services. */
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

export interface Order {
  readonly article: string;
  readonly cents: number;
  /** Whether the article can be sold again. */
  readonly returnable: boolean;
}

const here = (name: string): string => fileURLToPath(new URL(name, import.meta.url));

export function orderOf(id: string): Order {
  const orders: { readonly [id: string]: Order } = JSON.parse(readFileSync(here("orders.json"), "utf8"));
  const order = orders[id];
  if (order === undefined) throw new Error(`there is no order ${id}: orders.json has ${Object.keys(orders)}`);
  return order;
}

/** What has gone out of the till and come back, in the order it did: a line each. */
export function movements(): readonly { readonly key: string; readonly cents: number }[] {
  if (!existsSync(here("till.log"))) return [];
  const lines = readFileSync(here("till.log"), "utf8").trim().split("\n");
  return lines.map((line) => ({ key: line.split(" ")[0] ?? "", cents: Number(line.split(" ")[1]) }));
}

/** Books once under a key, however often it is asked: bodies of steps run at least once. */
export function book(key: string, cents: number): string {
  if (!movements().some((one) => one.key === key)) appendFileSync(here("till.log"), `${key} ${cents}\n`);
  return key;
}

/** @throws when nobody can sell it again. */
export function shelve({ article, returnable }: Order): string {
  if (!returnable) throw new Error(`the ${article} cannot be sold again`);
  return `the ${article} is on the shelf`;
}

/** Tells the people of the desk; in life it would be a message in their chat. */
export const post = (line: string): void => appendFileSync(here("board.log"), `${line}\n`);
