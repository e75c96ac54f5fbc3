/** A table in a box that scrolls by itself: the heading stays, columns that sort say how, numbers stand right. */
import { flexRender, type Header, type Table } from "@tanstack/react-table";
import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { SortIcon } from "../../ui/icons";
import { ScrollBox } from "../../ui/ScrollBox";
import styles from "./Grid.module.css";

interface Props<Row> {
  readonly caption: string;
  readonly table: Table<Row>;
  /** The columns whose cells are numbers. */
  readonly numeric: ReadonlySet<string>;
  /** While other rows are on their way. */
  readonly busy?: boolean;
  /** The last line: one cell a column. */
  readonly foot?: readonly ReactNode[];
  /** Said in place of rows. */
  readonly none: ReactNode;
}

export function Grid<Row>({ caption, table, numeric, busy = false, foot, none }: Props<Row>) {
  const { rows } = table.getRowModel();
  const columns = table.getVisibleLeafColumns();
  const side = (id: string) => (numeric.has(id) ? styles.numeric : undefined);
  return (
    <ScrollBox className={styles.scroll} label={caption} busy={busy}>
      <table className={styles.table}>
        <caption className="hidden">{caption}</caption>
        <thead>
          {table.getHeaderGroups().map((group) => (
            <tr key={group.id}>
              {group.headers.map((header) => (
                <Heading key={header.id} header={header} numeric={numeric.has(header.column.id)} />
              ))}
            </tr>
          ))}
        </thead>
        <tbody>
          {rows.map((row) => (
            <tr key={row.id}>
              {row.getVisibleCells().map(({ id, column, getContext }, at) => {
                const content = flexRender(column.columnDef.cell, getContext());
                return at === 0 ? (
                  <th key={id} scope="row">
                    {content}
                  </th>
                ) : (
                  <td key={id} className={side(column.id)}>
                    {content}
                  </td>
                );
              })}
            </tr>
          ))}
        </tbody>
        {foot && rows.length > 0 && (
          <tfoot>
            <tr>
              {foot.map((cell, at) => {
                const id = columns[at]?.id ?? String(at);
                return at === 0 ? (
                  <th key={id} scope="row">
                    {cell}
                  </th>
                ) : (
                  <td key={id} className={side(id)}>
                    {cell}
                  </td>
                );
              })}
            </tr>
          </tfoot>
        )}
      </table>
      {rows.length === 0 && <div className={styles.none}>{none}</div>}
    </ScrollBox>
  );
}

const SORTED = { asc: "ascending", desc: "descending" } as const;

function Heading<Row>({ header, numeric }: { readonly header: Header<Row, unknown>; readonly numeric: boolean }) {
  const { t } = useTranslation();
  const { column } = header;
  const name = flexRender(column.columnDef.header, header.getContext());
  const className = numeric ? styles.numeric : undefined;
  if (!column.getCanSort()) {
    return (
      <th scope="col" className={className}>
        {name}
      </th>
    );
  }
  const sorted = column.getIsSorted();
  return (
    <th scope="col" className={className} aria-sort={sorted === false ? "none" : SORTED[sorted]}>
      <button
        type="button"
        className={styles.sort}
        title={t("tables.sortBy")}
        onClick={column.getToggleSortingHandler()}
      >
        {name}
        <SortIcon sorted={sorted} />
      </button>
    </th>
  );
}
