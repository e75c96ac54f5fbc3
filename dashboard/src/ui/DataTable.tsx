/** A plain table of exact numbers, in a box that scrolls by itself. */
import type { ReactNode } from "react";
import { Choose } from "./Choose";
import styles from "./DataTable.module.css";
import { ScrollBox } from "./ScrollBox";

interface Row {
  readonly key: string;
  readonly cells: readonly ReactNode[];
  /** What is done when the row's heading is clicked, and its text. */
  readonly choose?: { readonly name: string; readonly onChoose: () => void };
}

interface Props {
  readonly caption: string;
  /** The first column is the rows' heading, the others are numbers. */
  readonly columns: readonly string[];
  readonly rows: readonly Row[];
}

export function DataTable({ caption, columns, rows }: Props) {
  return (
    <ScrollBox className={styles.scroll} label={caption}>
      <table className={styles.table}>
        <caption className="hidden">{caption}</caption>
        <thead>
          <tr>
            {columns.map((column) => (
              <th key={column} scope="col">
                {column}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map(({ key, cells, choose }) => (
            <tr key={key}>
              {cells.map((cell, at) =>
                at === 0 ? (
                  <th key={columns[at]} scope="row">
                    {choose ? <Choose {...choose} /> : cell}
                  </th>
                ) : (
                  <td key={columns[at]} className="number">
                    {cell}
                  </td>
                ),
              )}
            </tr>
          ))}
        </tbody>
      </table>
    </ScrollBox>
  );
}
