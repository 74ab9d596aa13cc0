import { flujoOn } from "./shared/flujo-on.ts";

await flujoOn("relaxed");
