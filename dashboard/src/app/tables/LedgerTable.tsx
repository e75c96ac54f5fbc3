import {
  getCoreRowModel,
  getFilteredRowModel,
  getPaginationRowModel,
  getSortedRowModel,
  useReactTable,
  type ColumnDef,
  type SortingState,
} from "@tanstack/react-table";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../i18n/format";
import { amountText } from "../../live/amount";
import type { DayView } from "../../live/holding";
import type { CurrencyInfo } from "../../live/ledger";
import { markOf } from "../../live/mark";
import { daysInside } from "../../live/months";
import { useLiveStore } from "../../live/react";
import { Explained } from "../../ui/Explained";
import { Flash } from "../../ui/Flash";
import type { Moves } from "../address";
import { usePartial, useShown, useShownNarrowing } from "../figures";
import { useNames } from "../names";
import { Csv } from "./Csv";
import { fileName, type Field } from "./csv";
import { Grid } from "./Grid";
import { useHeld, useMissing } from "./held";
import { plain, rowsOf, sumOf, type Kind, type Row } from "./rows";
import { Sheet } from "./Sheet";
import { PAGE_ROWS, searchFor, sortBy, turnTo, useStanding } from "./standing";
import { Pager, Search, Toolbar } from "./Toolbar";

const NUMERIC = new Set(["total", "orders", "units"]);
const SORTABLE = ["period", "category", "total", "orders", "units"];
const USUAL: SortingState = [{ id: "period", desc: true }];

const compare = (of: (row: Row) => string | number | bigint) => (a: { original: Row }, b: { original: Row }) => {
  const [left, right] = [of(a.original), of(b.original)];
  return left === right ? 0 : left < right ? -1 : 1;
};

interface Props {
  readonly kind: Kind;
  readonly currency: CurrencyInfo;
}

/**
 * A table of what the page holds: patched in place, and sorted, searched and turned without asking anybody. It has no
 * column for a change: a row is of one day or month, what it would be held against is a row of the table as well, and the
 * newest is not over.
 */
export function LedgerTable({ kind, currency }: Props) {
  const { t } = useTranslation();
  const source = useHeld(kind === "category" ? "category" : null);
  const missing = useMissing(source);
  const view = kind === "category" ? "sales_per_category" : "sales_per_day";
  const { span } = useShown();
  const cut = kind === "month" && (span.from !== null || span.to !== null);
  return (
    <Sheet title={t(`tables.${kind}`)} missing={missing} remarks={[usePartial(view), cut ? t("tables.monthsCut") : null]}>
      {!("missing" in source) && <Held kind={kind} currency={currency} source={source} />}
    </Sheet>
  );
}

type Source = Exclude<ReturnType<typeof useHeld>, { missing: unknown }>;

function Held({ kind, currency, source }: Props & { readonly source: Source }) {
  const { t } = useTranslation();
  const format = useFormat();
  const store = useLiveStore();
  const names = useNames();
  const by = useShownNarrowing();
  const { code } = currency;
  const { span, period } = useShown();
  const { sorting, search, page } = useStanding(SORTABLE, USUAL);
  // With their epoch: by the time that somebody asks for the file, the store may be further on than what is shown.
  const { rows, epoch } = useMemo(
    () => ({ rows: rowsOf(kind, source, code, span), epoch: store.getState().epoch }),
    [kind, source, code, span, store],
  );
  const columns = useColumns(kind, currency, source.view);

  const textOf = ({ period, label }: Row) => {
    const said = kind === "month" ? format.month(period) : `${format.weekday(period)} ${format.day(period)}`;
    return `${period} ${said} ${kind === "category" ? names.category(label) : ""}`;
  };
  const wanted = plain(search.trim());
  // The page is built without the React Compiler, which this API is not for.
  // eslint-disable-next-line react-hooks/incompatible-library
  const table = useReactTable<Row>({
    data: rows,
    columns,
    getRowId: (row) => row.key,
    state: { sorting, globalFilter: wanted, pagination: { pageIndex: page, pageSize: PAGE_ROWS } },
    enableSortingRemoval: false,
    enableMultiSort: false,
    autoResetPageIndex: false,
    onSortingChange: (next) => { sortBy(typeof next === "function" ? next(sorting) : next); },
    // All columns of a row are searched as one text.
    getColumnCanGlobalFilter: ({ id }) => id === "period",
    globalFilterFn: (row, _, text: string) => plain(textOf(row.original)).includes(text),
    getCoreRowModel: getCoreRowModel(),
    getFilteredRowModel: getFilteredRowModel(),
    getSortedRowModel: getSortedRowModel(),
    getPaginationRowModel: getPaginationRowModel(),
  });
  // A page beyond the end, of an old link or after a search, is the last one.
  const last = Math.max(0, table.getPageCount() - 1);
  const shown = Math.min(page, last);
  table.setOptions((options) => ({
    ...options,
    state: { ...options.state, pagination: { pageIndex: shown, pageSize: PAGE_ROWS } },
  }));

  const found = table.getSortedRowModel().rows;
  const sum = sumOf(found.map(({ original }) => original));
  const scope = `${period} ${code} ${search}`;
  const whole = { number: format.count(found.length), count: found.length };
  // Of a search nothing else could say what it is the sum of.
  const mark = (column: string) =>
    wanted === "" ? markOf(source.view, column, { ...span, currency: code, ...by }) : undefined;
  const total = (
    <Flash
      value={sum.micros}
      scope={scope}
      text={format.money(sum.micros, code, currency.minorUnits)}
      of={mark("total_sales")}
    />
  );
  const foot = [
    t("tables.sum", whole),
    ...(kind === "category" ? [""] : []),
    wanted === "" ? <Explained to={{}}>{total}</Explained> : total,
    <Flash key="orders" value={sum.orders} scope={scope} text={format.count(sum.orders)} of={mark("orders")} />,
    <Flash key="units" value={sum.units} scope={scope} text={format.count(sum.units)} of={mark("units")} />,
  ];
  const range = span.from === null || span.to === null ? [period] : [span.from, span.to];
  return (
    <>
      <Toolbar>
        <Search label={t(`tables.search.${kind}`)} value={search} onChange={searchFor} />
        <Pager
          of={t(`tables.${kind}`)}
          rows={t("tables.rowsOf", {
            first: format.count(found.length === 0 ? 0 : shown * PAGE_ROWS + 1),
            last: format.count(Math.min(found.length, (shown + 1) * PAGE_ROWS)),
            all: format.count(found.length),
          })}
          names={[t("tables.previous"), t("tables.next")]}
          before={shown > 0 ? () => { turnTo(shown - 1); } : null}
          after={shown < last ? () => { turnTo(shown + 1); } : null}
        />
        <Csv
          key={kind}
          name={fileName([`sales-per-${kind}`, ...range, code, by.category, by.payment_method, by.product])}
          fields={fieldsOf(kind, code)}
          read={(take) => {
            take(found.map(({ original }) => original));
            return Promise.resolve({ first: epoch, last: epoch });
          }}
        />
      </Toolbar>
      <Grid
        caption={`${t(`tables.${kind}`)}, ${code}`}
        table={table}
        numeric={NUMERIC}
        foot={foot}
        none={wanted === "" ? t("panel.none") : t("tables.nothingFound", { search })}
      />
    </>
  );
}

function useColumns(kind: Kind, { code, minorUnits }: CurrencyInfo, view: DayView): ColumnDef<Row>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const names = useNames();
  const { span, period } = useShown();
  const by = useShownNarrowing();
  return useMemo(() => {
    const scope = `${period} ${code}`;
    const mark = (row: Row, column: string) =>
      markOf(view, column, {
        ...daysInside(row.period, span),
        currency: code,
        ...by,
        ...(kind === "category" ? { category: row.label } : {}),
      });
    const name = (row: Row) => (kind === "month" ? format.month(row.period) : format.weekday(row.period));
    const to = (row: Row): Moves => {
      const { from, to: until } = daysInside(row.period, span);
      return { period: `${from}..${until}`, currency: code, ...(kind === "category" ? { category: row.label } : {}) };
    };
    const category: ColumnDef<Row> = {
      id: "category",
      accessorFn: (row) => row.label,
      header: t("table.category"),
      cell: ({ row }) => names.category(row.original.label),
      sortingFn: (a, b) => names.category(a.original.label).localeCompare(names.category(b.original.label), format.locale),
    };
    return [
      {
        id: "period",
        accessorFn: (row) => row.period,
        header: t(kind === "month" ? "table.month" : "table.day"),
        cell: ({ row }) => name(row.original),
        sortDescFirst: true,
        sortingFn: compare((row) => row.period),
      },
      ...(kind === "category" ? [category] : []),
      {
        id: "total",
        accessorFn: (row) => row.micros,
        header: t("table.total"),
        cell: ({ row: { original } }) => (
          <Explained to={to(original)}>
            <Flash
              value={original.micros}
              scope={scope}
              text={format.money(original.micros, code, minorUnits)}
              of={mark(original, "total_sales")}
            />
          </Explained>
        ),
        sortDescFirst: true,
        sortingFn: compare((row) => row.micros),
      },
      ...(["orders", "units"] as const).map(
        (count): ColumnDef<Row> => ({
          id: count,
          accessorFn: (row) => row[count],
          header: t(`table.${count}`),
          cell: ({ row: { original } }) => (
            <Flash
              value={original[count]}
              scope={scope}
              text={format.count(original[count])}
              of={mark(original, count)}
            />
          ),
          sortDescFirst: true,
          sortingFn: compare((row) => row[count]),
        }),
      ),
    ];
  }, [t, format, names, kind, code, minorUnits, view, span, period, by]);
}

/** The columns by the service's own names. */
const fieldsOf = (kind: Kind, code: string): Field<Row>[] => [
  kind === "month"
    ? { name: "month", of: ({ period }) => period }
    : { name: "order_date", of: ({ period }) => period },
  ...(kind === "category" ? [{ name: "category", of: ({ label }: Row) => label }] : []),
  { name: "currency", of: () => code },
  { name: "total_sales", of: ({ micros }) => amountText(micros), exact: true },
  { name: "orders", of: ({ orders }) => orders },
  { name: "units", of: ({ units }) => units },
];
