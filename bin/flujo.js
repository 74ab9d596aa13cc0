#!/usr/bin/env node
// Old syntax on purpose: an outdated Node must come far enough to say what to install.
var found = process.versions.node.split(".").map(Number);
if (found[0] < 22 || (found[0] === 22 && found[1] < 13)) {
  console.error(
    "flujo needs Node.js 22.13 or newer and this is " +
      process.version +
      ": install the current LTS (https://nodejs.org), or add it to your project with `npm install --save-dev node@24` and call `npx flujo`.",
  );
  process.exitCode = 2;
} else {
  start();
}

async function start() {
  var enableCompileCache = process.getBuiltinModule("node:module").enableCompileCache;
  if (enableCompileCache) enableCompileCache();
  var entry = new URL("../dist/cli/main.js", import.meta.url);
  if (!process.getBuiltinModule("node:fs").existsSync(entry)) {
    console.error("flujo is not built yet: run `npm run build` first.");
    process.exitCode = 2;
    return;
  }
  var cli = await import(entry.href);
  process.exitCode = await cli.main(process.argv.slice(2));
}
