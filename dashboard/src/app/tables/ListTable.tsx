import { getCoreRowModel, useReactTable, type ColumnDef, type SortingState } from "@tanstack/react-table";
import { useTranslation } from "react-i18next";
import { fetchList } from "../../api/client";
import type { List, ListParameters, ListRows } from "../../api/types";
import { useFormat } from "../../i18n/format";
import { useCalm } from "../calm";
import { Failure } from "../Failure";
import { useList, useVersion } from "../lists";
import { Csv } from "./Csv";
import { fileName, type Field } from "./csv";
import { follow } from "./follow";
import { Grid } from "./Grid";
import { Sheet } from "./Sheet";
import { PAGE_ROWS, searchFor, sortBy, useStanding } from "./standing";
import { Pager, Search, Toolbar } from "./Toolbar";

/** Rows asked for at once for a file: so many that it is soon made, so few that none is a long task. */
const FILE_ROWS = 2_000;
/** The service is asked at most so often while somebody types (ms). */
const TYPING_MS = 350;

interface Props<L extends List> {
  readonly list: L;
  readonly title: string;
  /** What the table does not obey, or means otherwise, in words. */
  readonly remark: string | null;
  /** Why there is no table, in words; null where there is one. */
  readonly missing: string | null;
  readonly parameters: ListParameters;
  /** How the list is searched. */
  readonly searching: { readonly label: string; readonly by: "search" | "reason" };
  readonly columns: ColumnDef<ListRows[L]>[];
  readonly numeric: ReadonlySet<string>;
  readonly keyOf: (row: ListRows[L]) => string;
  readonly sortable: readonly string[];
  readonly usual: SortingState;
  /** The service's name for a column that the list is sorted by; null where there is only one order. */
  readonly sortName: ((column: string) => string) | null;
  readonly fields: readonly Field<ListRows[L]>[];
  /** What the file's name says beside the list. */
  readonly named: readonly (string | null)[];
}

/** A table of what the service holds: it pages, searches and sorts. */
export function ListTable<L extends List>(props: Props<L>) {
  const { title, missing, remark } = props;
  return (
    <Sheet title={title} missing={missing} remarks={[remark]}>
      <Rows {...props} />
    </Sheet>
  );
}

function Rows<L extends List>({ list, title, columns, keyOf, numeric, fields, ...props }: Props<L>) {
  const { t } = useTranslation();
  const format = useFormat();
  const { sorting, search } = useStanding(props.sortable, props.usual);
  const sought = useCalm(search.trim(), TYPING_MS);
  const sort = sorting[0];
  const parameters: ListParameters = {
    ...props.parameters,
    [props.searching.by]: sought === "" ? null : sought,
    sort: sort && props.sortName ? props.sortName(sort.id) : null,
    order: sort ? (sort.desc ? "desc" : "asc") : null,
  };
  const { page, before, until, more, busy, fault, again, newer, older } = useList(list, parameters, useVersion(list), PAGE_ROWS);
  // The page is built without the React Compiler, which this API is not for.
  // eslint-disable-next-line react-hooks/incompatible-library
  const table = useReactTable<ListRows[L]>({
    data: (page?.rows ?? NO_ROWS) as ListRows[L][],
    columns,
    getRowId: keyOf,
    state: { sorting },
    manualSorting: true,
    enableSortingRemoval: false,
    enableMultiSort: false,
    onSortingChange: (next) => { sortBy(typeof next === "function" ? next(sorting) : next); },
    getCoreRowModel: getCoreRowModel(),
  });
  const first = format.count(until.rows === before.rows ? 0 : before.rows + 1);
  const last = format.count(until.rows);
  const rows = !more ? t("tables.rowsOf", { first, last, all: last }) : t("tables.rows", { first, last });
  return (
    <>
      <Toolbar>
        <Search label={props.searching.label} value={search} onChange={searchFor} />
        <Pager
          of={title}
          rows={page === null ? "" : rows}
          names={[t("tables.previous"), t("tables.next")]}
          before={newer}
          after={older}
        />
        <Csv
          key={JSON.stringify([list, parameters])}
          name={fileName([list.replaceAll("_", "-"), ...props.named])}
          fields={fields}
          read={(take, signal) =>
            follow((cursor) => fetchList(list, parameters, FILE_ROWS, cursor, signal), take, signal)
          }
        />
      </Toolbar>
      {fault !== null && <Failure fault={fault} again={again} />}
      <Grid
        caption={t("tables.caption", { title })}
        table={table}
        numeric={numeric}
        busy={busy}
        none={
          page === null
            ? t(fault === null ? "tables.loading" : "tables.noRows")
            : sought === ""
              ? t(`tables.none.${list}`)
              : t("tables.nothingFound", { search: sought })
        }
      />
    </>
  );
}

const NO_ROWS: readonly never[] = [];
