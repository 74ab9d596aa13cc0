import type { Store } from "../ports/store.ts";

/** How a call of a store fails: before anything is done, or when it is done and the answer is lost on its way. */
export interface Falter {
  readonly when: "before" | "after";
  readonly error: unknown;
}

/** Decides whether a call fails, by the name of its method. Asked once for each call, in their order. */
export type Falters = (method: string) => Falter | undefined;

/**
 * A store some of whose calls fail, as those over a network do: whoever asked cannot know whether it was done, and the next
 * call may well succeed.
 */
export function falteringStore(inner: Store, falters: Falters): Store {
  return new Proxy(inner, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== "function" || name === "watch" || name === "close") return method;
      return async (...args: unknown[]): Promise<unknown> => {
        const falter = falters(String(name));
        if (falter?.when === "before") throw falter.error;
        const answer: unknown = await method.apply(target, args);
        if (falter?.when === "after") throw falter.error;
        return answer;
      };
    },
  });
}
