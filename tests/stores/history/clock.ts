/** Milliseconds of the machine's own clock, the same for all its processes, which never goes back. */
export const sharedClock = (): number => Number(process.hrtime.bigint()) / 1e6;
