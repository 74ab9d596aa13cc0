/** The adversary in a process of its own, until its parent lets go of it. */
import { adversary } from "./server.ts";

const server = await adversary();
process.once("disconnect", () => void server.close());
process.send?.(server.url);
