import { readFileSync } from "node:fs";
import { join } from "node:path";
import react from "@vitejs/plugin-react";
import { defineConfig, type Plugin } from "vite";

const root = import.meta.dirname;

/** Whatever is built in travels with its licence: a package that THIRD-PARTY-NOTICES.md does not name stops the build. */
const licences: Plugin = {
  name: "licences",
  generateBundle(_, bundle) {
    const notices = readFileSync(join(root, "../THIRD-PARTY-NOTICES.md"), "utf8");
    const files = [...this.getModuleIds()].concat(Object.keys(bundle));
    const packages = new Set(files.flatMap((id) => /node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(id)?.[1] ?? []));
    const missing = [...packages].filter((name) => !notices.includes(`\n## ${name}\n`));
    if (missing.length > 0) this.error(`THIRD-PARTY-NOTICES.md has no licence of ${missing.join(", ")}`);
  },
};

/** Files of hashed names, no script or style within the page: what the server's content security policy lets in. */
export default defineConfig({
  root,
  base: "/",
  plugins: [react(), licences],
  build: {
    outDir: "../dist/dashboard",
    emptyOutDir: true,
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: false,
    target: ["chrome123", "firefox121", "safari17.5"],
  },
});
