/** Light or dark: the browser's preference until the reader chooses. */
import { useSyncExternalStore } from "react";

export type Theme = "light" | "dark";

const STORED = "takings.theme";
const listeners = new Set<() => void>();
const preference = () => window.matchMedia("(prefers-color-scheme: dark)");

function current(): Theme {
  const chosen = document.documentElement.dataset.theme;
  if (chosen === "light" || chosen === "dark") return chosen;
  return preference().matches ? "dark" : "light";
}

/** The theme that the reader has chosen; null where it is the browser's preference. */
export function storedTheme(): Theme | null {
  try {
    const stored = localStorage.getItem(STORED);
    return stored === "light" || stored === "dark" ? stored : null;
  } catch {
    return null;
  }
}

export function chooseTheme(theme: Theme): void {
  document.documentElement.dataset.theme = theme;
  try {
    localStorage.setItem(STORED, theme);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
  for (const listener of listeners) listener();
}

function subscribe(listener: () => void): () => void {
  const media = preference();
  listeners.add(listener);
  media.addEventListener("change", listener);
  return () => {
    listeners.delete(listener);
    media.removeEventListener("change", listener);
  };
}

export const useTheme = (): Theme => useSyncExternalStore(subscribe, current);

const reducedMotion = () => window.matchMedia("(prefers-reduced-motion: reduce)");

export const prefersStillness = (): boolean => reducedMotion().matches;
