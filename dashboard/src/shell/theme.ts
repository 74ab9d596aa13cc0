import { useSyncExternalStore } from "react";

/** What the reader has chosen: `auto` is what the system says. */
export type Theme = "auto" | "light" | "dark";
const themes: readonly Theme[] = ["auto", "light", "dark"];

const key = "flujo.theme";
const watchers = new Set<() => void>();

/** Private windows may keep nothing: then the choice lasts as long as the page. */
let chosen: Theme = read();

function read(): Theme {
  try {
    return themes.find((theme) => theme === localStorage.getItem(key)) ?? "auto";
  } catch {
    return "auto";
  }
}

/** Puts the chosen theme on the page. */
export function wearTheme(): void {
  if (chosen === "auto") delete document.documentElement.dataset.theme;
  else document.documentElement.dataset.theme = chosen;
}

/** Chooses the next theme: system, light, dark. */
export function nextTheme(): void {
  chosen = themes[(themes.indexOf(chosen) + 1) % themes.length] ?? "auto";
  try {
    localStorage.setItem(key, chosen);
  } catch {
    // kept for this page alone
  }
  wearTheme();
  for (const watcher of watchers) watcher();
}

export const useTheme = (): Theme =>
  useSyncExternalStore(
    (watcher) => {
      watchers.add(watcher);
      return () => watchers.delete(watcher);
    },
    () => chosen,
  );
