import { rawLoop } from "./shared/raw-loop.ts";

await rawLoop("NORMAL");
