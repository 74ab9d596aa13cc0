import { defineConfig } from "flujo";

/** The store is named by the environment, FLUJO_STORE: here it is Postgres, at your desk a file. */
export default defineConfig({ budget: "$1" });
