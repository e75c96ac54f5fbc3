/** A number that can be checked: beside its text it carries what it is, and its exact value. Flash does so as well. */
import { marks } from "../live/mark";

interface Props {
  /** What it is, by `markOf`. */
  readonly of: string | undefined;
  /** A count, or an amount in millionths. */
  readonly value: bigint | number;
  readonly text: string;
  readonly className?: string | undefined;
}

export const Exact = ({ of, value, text, className }: Props) => (
  <span className={`number ${className ?? ""}`} {...marks(of, value)}>
    {text}
  </span>
);
