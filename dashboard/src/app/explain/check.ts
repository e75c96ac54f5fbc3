/** Whether the parts sum to the total: counted exactly, and said as it is. */
import type { Epochs } from "../tables/follow";

export interface Counted {
  readonly micros: bigint;
  readonly epochs: Epochs;
}

/**
 * - `exact`: all parts are known, and sum to the total.
 * - `part`: there are more parts than were looked at.
 * - `moved`: they do not, and were not read at the total's epoch: it has moved since, or they have.
 * - `differs`: they do not, at the same epoch.
 */
export type Check =
  | { readonly is: "exact" }
  | { readonly is: "part" }
  | { readonly is: "moved"; readonly epochs: Epochs; readonly of: number }
  | { readonly is: "differs"; readonly by: bigint; readonly of: number };

/** `all`: whether no part is missing. `total` was read at the epoch `of`. */
export function checkOf({ micros, epochs }: Counted, all: boolean, total: bigint, of: number): Check {
  if (!all) return { is: "part" };
  if (micros === total) return { is: "exact" };
  if (epochs.first !== of || epochs.last !== of) return { is: "moved", epochs, of };
  return { is: "differs", by: micros - total, of };
}
