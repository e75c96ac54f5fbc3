/** A wall is dark, unless the reader has chosen a theme. */
import { useLayoutEffect } from "react";
import { storedTheme } from "../theme";

export function useDark(): void {
  useLayoutEffect(() => {
    const { dataset } = document.documentElement;
    if (storedTheme() !== null) return;
    dataset.theme = "dark";
    return () => {
      delete dataset.theme;
    };
  }, []);
}
