import type { ColumnDef, SortingState } from "@tanstack/react-table";
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import type { ProductTotal } from "../../api/types";
import { useFormat } from "../../i18n/format";
import { parseAmount } from "../../live/amount";
import type { CurrencyInfo } from "../../live/ledger";
import { markOf } from "../../live/mark";
import { Explained } from "../../ui/Explained";
import { Flash } from "../../ui/Flash";
import { useOff, useShown, useShownNarrowing } from "../figures";
import { useNames } from "../names";
import type { Field } from "./csv";
import { ListTable } from "./ListTable";

const NUMERIC = new Set(["total", "orders", "units"]);
const SORTABLE = ["name", "product", "total", "orders", "units"];
const USUAL: SortingState = [{ id: "total", desc: true }];
const keyOf = ({ product, currency }: ProductTotal) => `${currency} ${product}`;
const sortName = (column: string) => (column === "total" ? "total_sales" : column);

const FIELDS: readonly Field<ProductTotal>[] = [
  { name: "product", of: ({ product }) => product },
  { name: "name", of: ({ name }) => name },
  { name: "category", of: ({ category }) => category },
  { name: "currency", of: ({ currency }) => currency },
  { name: "total_sales", of: ({ total_sales }) => total_sales, exact: true },
  { name: "orders", of: ({ orders }) => orders },
  { name: "units", of: ({ units }) => units },
];

/** What every product sold in the period. */
export function ProductTable({ currency }: { readonly currency: CurrencyInfo }) {
  const { t } = useTranslation();
  const { code } = currency;
  const { span, period } = useShown();
  const { category, payment_method, product } = useShownNarrowing();
  const { category: nameOf } = useNames();
  const off = useOff("sales_per_product");
  const range = span.from === null || span.to === null ? [period] : [span.from, span.to];
  return (
    <ListTable
      list="product_totals"
      title={t("tables.product")}
      remark={category === null ? null : t("tables.asListed", { category: nameOf(category) })}
      missing={payment_method === null ? off : t("tables.notHeld")}
      parameters={{ from: span.from, to: span.to, currency: code, category, product }}
      searching={{ label: t("tables.search.product"), by: "search" }}
      columns={useColumns(currency)}
      numeric={NUMERIC}
      keyOf={keyOf}
      sortable={SORTABLE}
      usual={USUAL}
      sortName={sortName}
      fields={FIELDS}
      named={[...range, code, category, product]}
    />
  );
}

function useColumns({ code, minorUnits }: CurrencyInfo): ColumnDef<ProductTotal>[] {
  const { t } = useTranslation();
  const format = useFormat();
  const names = useNames();
  const { span, period } = useShown();
  return useMemo(() => {
    const scope = `${period} ${code}`;
    const mark = ({ product, currency }: ProductTotal, column: string) =>
      markOf("product_totals", column, { ...span, currency, product });
    return [
      {
        id: "name",
        accessorFn: (row) => row.name ?? row.product,
        header: t("table.name"),
        cell: ({ row }) => row.original.name ?? row.original.product,
      },
      { id: "product", accessorFn: (row) => row.product, header: t("table.product"), cell: ({ row }) => row.original.product },
      {
        id: "category",
        enableSorting: false,
        header: t("table.category"),
        cell: ({ row }) => (row.original.category === null ? "–" : names.category(row.original.category)),
      },
      {
        id: "total",
        accessorFn: (row) => row.total_sales,
        header: t("table.total"),
        sortDescFirst: true,
        cell: ({ row: { original } }) => (
          <Explained to={{ product: original.product, category: null, currency: original.currency }}>
            <Flash
              value={original.total_sales}
              scope={scope}
              text={format.money(parseAmount(original.total_sales), original.currency, minorUnits)}
              of={mark(original, "total_sales")}
            />
          </Explained>
        ),
      },
      ...(["orders", "units"] as const).map(
        (count): ColumnDef<ProductTotal> => ({
          id: count,
          accessorFn: (row) => row[count],
          header: t(`table.${count}`),
          sortDescFirst: true,
          cell: ({ row: { original } }) => (
            <Flash
              value={original[count]}
              scope={scope}
              text={format.count(original[count])}
              of={mark(original, count)}
            />
          ),
        }),
      ),
    ];
  }, [t, format, names, code, minorUnits, span, period]);
}
