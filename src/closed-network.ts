/**
 * A part of the program that can reach nothing outside: what it calls may open no connection, send no request and start
 * no program. Everything else in the process goes on as ever, at the same time.
 */
import { AsyncLocalStorage } from "node:async_hooks";
import { ChildProcess } from "node:child_process";
import { Agent } from "node:http";
import { Socket } from "node:net";

type OnCall = (what: string) => void;

const closed = new AsyncLocalStorage<OnCall>();

/**
 * Does work with the network closed, and all that it sets going.
 *
 * @param onCall hears of each attempt to call the outside, which was refused. Files are left alone: nobody can say which
 *   of them are the outside.
 */
export function withoutNetwork<T>(work: () => T, onCall: OnCall): T {
  guard();
  return closed.run(onCall, work);
}

/** What the store of a replay is read with: it may be on another machine. */
export const withNetwork = <T>(work: () => T): T => closed.exit(work);

let isGuarded = false;

/** For good: outside of `withoutNetwork` the guards do nothing but look. */
function guard(): void {
  if (isGuarded) return;
  isGuarded = true;
  globalThis.fetch = guarded(globalThis.fetch, (to) => `fetch ${addressOf(to)}`);
  Socket.prototype.connect = guarded(Socket.prototype.connect, () => "a connection");
  // Requests that go over a connection which is open already.
  const agent = Agent.prototype as unknown as { addRequest: (...args: unknown[]) => unknown }; // not in Node's types
  agent.addRequest = guarded(agent.addRequest, () => "an HTTP request");
  const child = ChildProcess.prototype as unknown as { spawn: (...args: unknown[]) => unknown }; // as above
  child.spawn = guarded(child.spawn, () => "a program");
}

function guarded<F extends (...args: never[]) => unknown>(call: F, tell: (first: unknown) => string): F {
  return function (this: unknown, ...args: never[]) {
    const onCall = closed.getStore();
    if (onCall === undefined) return call.apply(this, args);
    const what = tell(args[0]);
    onCall(what);
    throw new Error(`${what} was refused: a replay calls nothing outside`);
  } as F; // the same function, for everybody else
}

function addressOf(to: unknown): string {
  const text = typeof to === "object" && to !== null && "url" in to ? String(to.url) : String(to);
  return URL.canParse(text) ? new URL(text).origin : text;
}
