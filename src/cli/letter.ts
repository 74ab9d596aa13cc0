import { FlujoError } from "../core/errors.ts";
import { paint, printable, sayStyled } from "./terminal.ts";

/** A failure of a command itself: wrong words on the command line, a file that cannot be loaded. */
export class CommandError extends FlujoError {
  constructor(
    code: "usage" | "cannot-load" | "no-pipeline" | "interrupted" | "stalled" | "uncaught",
    message: string,
    hint?: string,
  ) {
    super(code, message, { hint });
  }
}

/** An error as a letter: what happened, where, what to do. Of an error nobody foresaw, all that is known. */
export function sayError(error: unknown): void {
  if (!FlujoError.isInstance(error)) {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    sayStyled(`${paint("red", "Unexpected error")} ${printable(stack)}`);
    sayStyled(
      "This is a fault of Flujo itself. Please report it with the lines above; what was recorded is kept.",
    );
    return;
  }
  sayStyled(`${paint("red", "Error")} ${printable(error.message)}`);
  if (error.path !== undefined && !error.message.includes(error.path))
    sayStyled(`  at ${printable(error.path)}`);
  if (error.hint !== undefined) sayStyled(printable(error.hint));
}
