/** What is proven of the numbers on the page, in one word. */
import type { Proofs } from "../api/types";

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
