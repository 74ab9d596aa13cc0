/** More tries than anything is given: it never succeeds. */
export const forever = 1_000_000;
