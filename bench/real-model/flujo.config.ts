import { defineConfig } from "flujo";
import { prices } from "./prices.ts";

/** For the `flujo` commands that the checks start in this folder. */
export default defineConfig({ models: { prices } });
