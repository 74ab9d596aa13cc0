import { defineConfig } from "flujo";

export default defineConfig({ lease: "2s", pipelines: ["claims.ts"], tenants: { most: 20 } });
