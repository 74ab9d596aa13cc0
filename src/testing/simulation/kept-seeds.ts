/** Seeds that once broke a promise, and why. They are simulated with every change. */
export const keptSeeds: readonly { readonly seed: number; readonly because: string }[] = [];
