import { userInfo } from "node:os";

/** Who answers, when nobody says: whoever is logged in. Undefined where the system does not tell. */
export function whoAmI(): string | undefined {
  try {
    return userInfo().username;
  } catch {
    return process.env.USER;
  }
}
