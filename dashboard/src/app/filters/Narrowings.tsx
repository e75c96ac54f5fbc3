/** The filters beside the period, each with its list. */
import { useMemo } from "react";
import { useTranslation } from "react-i18next";
import { useLive } from "../../live/react";
import type { Table } from "../../live/table";
import { Picker, type PickerOption } from "../../ui/Picker";
import { move, useNarrowing } from "../address";
import { useCurrencies } from "../figures";
import { ProductPicker } from "./ProductPicker";
import { useValueNames } from "./words";

export default function Narrowings() {
  const { t } = useTranslation();
  const { all, chosen, choose } = useCurrencies();
  const currencies = useMemo(() => all.map(({ code }) => ({ value: code, label: code })), [all]);
  return (
    <>
      <Picker
        label={t("filter.currency")}
        options={currencies}
        value={chosen && { value: chosen.code, label: chosen.code }}
        onChoose={choose}
      />
      <LabelPicker dimension="category" view="sales_per_category" />
      <LabelPicker dimension="payment_method" view="sales_per_payment_method" />
      <ProductPicker />
    </>
  );
}

/** Categories or payment methods: those that the view holds rows of. */
function LabelPicker({ dimension, view }: { readonly dimension: "category" | "payment_method"; readonly view: "sales_per_category" | "sales_per_payment_method" }) {
  const { t, i18n } = useTranslation();
  const state = useLive(({ views }) => views?.[view] ?? null);
  const name = useValueNames();
  const value = useNarrowing()[dimension];
  const options = useMemo(() => {
    const labels = state ? labelsOf(state.table) : [];
    return labels
      .map((label): PickerOption => ({ value: label, label: name(dimension, label) }))
      .sort((a, b) => a.label.localeCompare(b.label, i18n.language));
  }, [state, name, dimension, i18n.language]);
  return (
    <Picker
      label={t(`filter.${dimension}`)}
      options={options}
      value={value === null ? null : { value, label: name(dimension, value) }}
      onChoose={(label) => { move({ [dimension]: label }); }}
      onClear={() => { move({ [dimension]: null }); }}
    />
  );
}

function labelsOf(table: Table): string[] {
  const labels = new Set<string>();
  for (const { label } of table.entries()) labels.add(label);
  return [...labels];
}
