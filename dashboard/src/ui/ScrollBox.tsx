/** A box that scrolls by itself. It takes the keyboard, or who has no mouse could not scroll it. */
import type { ReactNode } from "react";

interface Props {
  readonly label: string;
  readonly className?: string | undefined;
  readonly busy?: boolean;
  readonly children: ReactNode;
}

export function ScrollBox({ label, className, busy, children }: Props) {
  return (
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={className} role="region" aria-label={label} aria-busy={busy} tabIndex={0}>
      {children}
    </div>
  );
}
