/** What to do when nothing is left that could wake this process, and its work is not done. */
let rescue: (() => void) | undefined;

/** Registers what brings the present work to an end; returns how to call it off. */
export function whenStalled(end: () => void): () => void {
  rescue = end;
  return () => {
    rescue = undefined;
  };
}

/** Calls it once; false when there is nothing to call. */
export function rescueStalled(): boolean {
  const end = rescue;
  rescue = undefined;
  end?.();
  return end !== undefined;
}
