/** A link within the page: a real one, which opens elsewhere as links do, and moves the page when clicked plainly. */
import type { MouseEvent, ReactNode } from "react";
import { move, useLink, type Moves } from "../app/address";

interface Props {
  readonly to: Moves;
  readonly children: ReactNode;
  readonly className?: string | undefined;
  /** Marks the link to what is shown. */
  readonly current?: boolean;
  /** What the link does, where its text alone does not say it. */
  readonly title?: string;
  readonly "aria-label"?: string | undefined;
}

export function Link({ to, children, current = false, ...rest }: Props) {
  const href = useLink(to);
  const click = (event: MouseEvent) => {
    if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    event.preventDefault();
    move(to);
  };
  return (
    <a href={href} onClick={click} aria-current={current ? "page" : undefined} {...rest}>
      {children}
    </a>
  );
}
