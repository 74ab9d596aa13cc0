/** How an exported run looks, in light and dark. */
export const css = `
:root { color-scheme: light dark; --back: #fff; --ink: #1a1d21; --soft: #5f6873; --line: #dfe3e8; --well: #f5f6f8; --bar: #4c7fd6; --good: #1f7a44; --bad: #b3261e; --wait: #8a5a00; }
@media (prefers-color-scheme: dark) { :root { --back: #15181c; --ink: #e4e7eb; --soft: #9aa4b0; --line: #2b3138; --well: #1d2126; --bar: #6f9be8; --good: #5fc48a; --bad: #ff8a80; --wait: #e0b050; } }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; background: var(--back); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
h1 { margin: 0; font-size: 1.5rem; } h2 { margin: 2rem 0 .5rem; font-size: 1.1rem; }
header p, footer, small { color: var(--soft); }
code, pre { font: 13px/1.45 ui-monospace, monospace; }
pre { margin: 0; padding: .5rem .75rem; background: var(--well); border-radius: 6px; white-space: pre-wrap; overflow-wrap: anywhere; }
dl { display: grid; grid-template-columns: 8rem 1fr; gap: .35rem 1rem; margin: .5rem 0; }
dt { color: var(--soft); } dd { margin: 0; min-width: 0; }
table { border-collapse: collapse; width: 100%; } th, td { padding: .3rem .6rem; text-align: right; border-bottom: 1px solid var(--line); font-variant-numeric: tabular-nums; }
th:first-child, td:first-child { text-align: left; overflow-wrap: anywhere; }
details { border-left: 2px solid var(--line); padding-left: .75rem; margin: .25rem 0; }
summary { cursor: pointer; padding: .15rem 0; overflow-wrap: anywhere; }
summary:focus-visible { outline: 2px solid var(--bar); }
svg { display: block; width: 100%; height: 4px; margin-top: 2px; background: var(--well); } rect { fill: var(--bar); }
b.completed { color: var(--good); } b.failed, b.halted, .failed { color: var(--bad); } b.waiting, b.stopped, b.running, b.cancelled { color: var(--wait); }
`;
