/** Into wall mode and out of it. */
import { useEffect } from "react";
import { move } from "../address";

/** The page becomes a wall, on the whole screen where the browser lets it. */
export function enterWall(): void {
  move({ wall: "1" });
  // Not every browser has it, and none must allow it: the wall fills the window then.
  if (document.fullscreenEnabled) void document.documentElement.requestFullscreen().catch(() => undefined);
}

export function leaveWall(): void {
  if (document.fullscreenElement) void document.exitFullscreen();
  move({ wall: null });
}

/** Escape leaves; so does the browser's own way out of the whole screen, which takes the key for itself. */
export function useEscape(): void {
  useEffect(() => {
    const key = ({ key: name }: KeyboardEvent) => {
      if (name === "Escape") leaveWall();
    };
    const screen = () => {
      if (!document.fullscreenElement) leaveWall();
    };
    document.addEventListener("keydown", key);
    document.addEventListener("fullscreenchange", screen);
    return () => {
      document.removeEventListener("keydown", key);
      document.removeEventListener("fullscreenchange", screen);
    };
  }, []);
}
