import { operationPath, type Path } from "../core/paths.ts";

/** Numbers a body's operations: those of one name by the order in which they are asked for. */
export class OperationNames {
  readonly #prefix: Path;
  /** Made when first needed: most bodies have no operations. */
  #uses: Map<string, number> | undefined;

  constructor(prefix: Path) {
    this.#prefix = prefix;
  }

  /** The path of the next operation of that name. */
  next(name: string): Path {
    return operationPath(this.#prefix, name, this.#uses?.get(name) ?? 0);
  }

  /** The same, now given away. */
  take(name: string): Path {
    const path = this.next(name);
    this.#uses ??= new Map();
    this.#uses.set(name, (this.#uses.get(name) ?? 0) + 1);
    return path;
  }
}
