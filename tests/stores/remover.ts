/** Tries, each time it is told to, to remove a run that was sent more than it knows of: `remover.ts ROOT FOLDER FENCE HEARD`. */
import { removeRun } from "../../src/stores/file/removal.ts";

const [root = "", folder = "", fence, heard] = process.argv.slice(2);
process.on("message", () => process.send?.(removeRun(root, folder, Number(fence), Number(heard))));
process.send?.("ready");
