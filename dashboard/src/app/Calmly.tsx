import { useEffect, useState, type ReactNode } from "react";
import { CalmSource } from "../live/calm";
import { CalmContext, useLiveStore } from "../live/react";

/** What is inside reads the live state once a second while it keeps changing, apart from all else that does. */
export function Calmly({ children }: { readonly children: ReactNode }) {
  const store = useLiveStore();
  const [calm] = useState(() => new CalmSource(store));
  useEffect(() => calm.follow(), [calm]);
  return <CalmContext value={calm}>{children}</CalmContext>;
}
