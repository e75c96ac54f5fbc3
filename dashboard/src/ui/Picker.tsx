/**
 * A filter: a quiet pill that opens a list to search. Set, it says what it is set to, and a cross takes it back.
 * The list, its keys and its words for screen readers are Base UI's; it places itself through the CSSOM, so a strict
 * policy holds.
 */
import { Combobox } from "@base-ui/react/combobox";
import { useTranslation } from "react-i18next";
import { CheckIcon, CrossIcon, SearchIcon } from "./icons";
import { Pill } from "./Pill";
import pill from "./Pill.module.css";
import styles from "./Picker.module.css";

export interface PickerOption {
  readonly value: string;
  readonly label: string;
  /** Told beside the label: an amount, a code. */
  readonly note?: string;
}

interface Props {
  readonly label: string;
  readonly options: readonly PickerOption[];
  /** What is chosen, even where the options do not hold it; null where nothing is. */
  readonly value: PickerOption | null;
  readonly onChoose: (value: string) => void;
  /** Without it, something is always chosen. */
  readonly onClear?: () => void;
  /** Where the options are searched elsewhere; else they are searched here. */
  readonly onSearch?: (text: string) => void;
  readonly onOpen?: () => void;
  /** Said above the list: that it is being searched, or could not be. */
  readonly status?: string | null;
}

export function Picker({ label, options, value, onChoose, onClear, onSearch, onOpen, status = null }: Props) {
  const { t } = useTranslation();
  const set = value !== null;
  return (
    <div className={set && onClear ? pill.joined : pill.single}>
      <Combobox.Root<PickerOption>
        items={options}
        value={value}
        itemToStringLabel={(option) => option.label}
        isItemEqualToValue={(option, chosen) => option.value === chosen.value}
        {...(onSearch ? { filter: null } : {})}
        onValueChange={(option) => { if (option) onChoose(option.value); }}
        onInputValueChange={(text) => onSearch?.(text)}
        onOpenChange={(open) => { if (open) onOpen?.(); }}
        autoHighlight
      >
        <Combobox.Trigger
          render={<Pill label={label} value={value?.label ?? null} />}
          aria-label={t("filter.with", { filter: label, value: value?.label ?? t("filter.any") })}
        />
        <Combobox.Portal>
          <Combobox.Positioner className={styles.positioner} align="start" sideOffset={6} collisionPadding={12}>
            <Combobox.Popup className={styles.popup} aria-label={label}>
              <div className={styles.search}>
                <SearchIcon />
                <Combobox.Input className={styles.input} placeholder={t("filter.search", { filter: label })} aria-label={t("filter.search", { filter: label })} />
              </div>
              <Combobox.Status className={styles.status}>{status}</Combobox.Status>
              <Combobox.Empty className={styles.empty}>{status === null ? t("filter.none") : ""}</Combobox.Empty>
              <Combobox.List className={styles.list}>
                {(option: PickerOption) => (
                  <Combobox.Item key={option.value} value={option} className={styles.item}>
                    <span className={styles.check}>
                      <Combobox.ItemIndicator>
                        <CheckIcon />
                      </Combobox.ItemIndicator>
                    </span>
                    <span className={styles.label}>{option.label}</span>
                    {option.note !== undefined && <span className={`${styles.note ?? ""} number`}>{option.note}</span>}
                  </Combobox.Item>
                )}
              </Combobox.List>
            </Combobox.Popup>
          </Combobox.Positioner>
        </Combobox.Portal>
      </Combobox.Root>
      {set && onClear && (
        <button type="button" className={pill.clear} aria-label={t("filter.drop", { filter: label, value: value.label })} title={t("filter.drop", { filter: label, value: value.label })} onClick={onClear}>
          <CrossIcon />
        </button>
      )}
    </div>
  );
}
