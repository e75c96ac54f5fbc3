/** Any of the shop's products: searched by the service, the best of the shown days first. */
import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { useMemo, useState } from "react";
import { useTranslation } from "react-i18next";
import { fetchCatalogue, fetchList } from "../../api/client";
import type { Catalogue } from "../../api/types";
import { useFormat } from "../../i18n/format";
import { parseAmount } from "../../live/amount";
import { useLive } from "../../live/react";
import { Picker, type PickerOption } from "../../ui/Picker";
import { move, useNarrowing } from "../address";
import { useCalm } from "../calm";
import { useCurrencies, useShown } from "../figures";
import { useValueNames } from "./words";

const SHOWN = 30;
const TYPING_MS = 250;
/** Listings asked for at once. */
const LISTED = 2_000;

export function ProductPicker() {
  const { t } = useTranslation();
  const format = useFormat();
  const { span } = useShown();
  const { chosen } = useCurrencies();
  const { product } = useNarrowing();
  const name = useValueNames();
  const off = useLive((state) => state.off.has("sales_per_product"));
  const [text, setText] = useState("");
  const [opened, setOpened] = useState(false);
  const search = useCalm(text.trim(), TYPING_MS);
  const currency = chosen?.code ?? "";
  const sold = async (signal: AbortSignal): Promise<readonly PickerOption[]> => {
    const parameters = { from: span.from, to: span.to, currency, search: search || null, sort: "total_sales", order: "desc" };
    const { rows } = await fetchList("product_totals", parameters, SHOWN, null, signal);
    return rows.map((row) => ({
      value: row.product,
      label: row.name ?? row.product,
      note: format.money(parseAmount(row.total_sales), row.currency, chosen?.minorUnits ?? null),
    }));
  };
  const { data, isFetching, isError } = useQuery({
    queryKey: ["products", search, currency, span.from, span.to, off],
    // Where products are not counted by day, those of the catalogue are offered.
    queryFn: ({ signal }) => (off ? listed(search, signal) : sold(signal)),
    enabled: opened && currency !== "",
    placeholderData: keepPreviousData,
    staleTime: 30_000,
  });
  const options = useMemo(() => data ?? [], [data]);
  const status = isError ? t("filter.failed") : isFetching && options.length === 0 ? t("filter.searching") : null;
  return (
    <Picker
      label={t("filter.product")}
      options={options}
      value={product === null ? null : { value: product, label: name("product", product) }}
      status={status}
      onOpen={() => { setOpened(true); }}
      onSearch={setText}
      onChoose={(value) => { move({ product: value }); }}
      onClear={() => { move({ product: null }); }}
    />
  );
}

/** The first of the catalogue that the text finds. Where there is none, all of it was looked through. */
async function listed(search: string, signal: AbortSignal): Promise<readonly PickerOption[]> {
  const wanted = search.toLocaleLowerCase();
  const found: PickerOption[] = [];
  let cursor: string | null = null;
  do {
    const page: Catalogue = await fetchCatalogue(LISTED, cursor, signal);
    for (const { product, name } of page.rows) {
      if (!`${product} ${name ?? ""}`.toLocaleLowerCase().includes(wanted)) continue;
      found.push({ value: product, label: name ?? product, note: product });
    }
    cursor = page.next_cursor ?? null;
  } while (cursor !== null && found.length < SHOWN);
  return found.slice(0, SHOWN);
}
