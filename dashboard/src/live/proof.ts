/** What is proven of the numbers on the page, in one word. */
import type { DayProof, Proofs } from "../api/types";
import { addDays } from "./period";

/**
 * - `none`: nothing was recounted yet, or no day is closed: nothing to say.
 * - `proven`: of the closed days, those that were recounted from the log are what it says.
 * - `wrong`: a day is not what the log says, or a total is held back since no orders can sum to it.
 */
export type Proof = "none" | "proven" | "wrong";

export function proofOf({ differing, inconsistent_groups, proven, not_provable }: Proofs): Proof {
  if (differing > 0 || inconsistent_groups > 0) return "wrong";
  return proven > 0 || not_provable > 0 ? "proven" : "none";
}

/** What was found of a day; `changed` since it was proven. Anything else that the service says counts as unproven. */
export const DAY_STATES = ["proven", "changed", "unproven", "differs", "not_provable"] as const;
export type DayState = (typeof DAY_STATES)[number];

/** Days in a row of which the same was found. */
export interface Stretch {
  readonly state: DayState;
  readonly from: string;
  readonly to: string;
}

/** Days that follow each other in one state, together; the newest first, as the rows are. */
export function stretchesOf(rows: readonly Pick<DayProof, "order_date" | "state">[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const { order_date, state: said } of rows) {
    const state = DAY_STATES.find((each) => each === said) ?? "unproven";
    const last = stretches.at(-1);
    if (last?.state === state && addDays(last.from, -1) === order_date) {
      stretches[stretches.length - 1] = { ...last, from: order_date };
    } else {
      stretches.push({ state, from: order_date, to: order_date });
    }
  }
  return stretches;
}
