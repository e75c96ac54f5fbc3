/**
 * Text that glows once, calmly, when its value has changed. While changes follow each other closely it stays
 * calm: numbers that roll need no light. A new scope (another period, another currency) is no change.
 */
import { useEffect, useRef } from "react";
import { prefersStillness } from "../app/theme";
import { marks } from "../live/mark";

/** After this long without a change, the next one glows (ms). */
const QUIET_MS = 1_500;
const GLOW_MS = 1_100;

interface Props {
  /** What is compared: exact, whatever the language. */
  readonly value: string | number | bigint;
  readonly scope: string;
  readonly text: string;
  readonly className?: string | undefined;
  /** What number it is, by `markOf`, so that it can be checked. */
  readonly of?: string | undefined;
}

export function Flash({ value, scope, text, className, of }: Props) {
  const element = useRef<HTMLSpanElement>(null);
  const last = useRef({ value, scope, at: Number.NEGATIVE_INFINITY });
  useEffect(() => {
    const before = last.current;
    if (before.value === value && before.scope === scope) return;
    const now = performance.now();
    last.current = { value, scope, at: before.scope === scope ? now : before.at };
    if (before.scope !== scope || now - before.at < QUIET_MS || prefersStillness()) return;
    element.current?.animate(
      [
        {
          color: "var(--accent-text)",
          backgroundColor: "var(--accent-soft)",
          boxShadow: "0 0 0 3px var(--accent-soft)",
        },
        { backgroundColor: "transparent", boxShadow: "0 0 0 3px transparent" },
      ],
      { duration: GLOW_MS, easing: "ease-out" },
    );
  }, [value, scope]);
  return (
    <span ref={element} className={`number ${className ?? ""}`} style={{ borderRadius: 4 }} {...marks(of, value)}>
      {text}
    </span>
  );
}
