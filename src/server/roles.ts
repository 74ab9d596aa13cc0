/** What somebody may do: look; start, answer, cancel and resume runs; everything. Each may do what those before it may. */
export type Role = "viewer" | "operator" | "admin";

export const roles: readonly Role[] = ["viewer", "operator", "admin"];

/** Whether a role is enough for what takes another. */
export const allows = (role: Role, needed: Role): boolean => roles.indexOf(role) >= roles.indexOf(needed);
