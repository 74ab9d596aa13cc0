import { defineConfig } from "flujo";

export default defineConfig({ pipelines: ["calls.ts", "sums.ts", "once.ts"] });
