/** What is shown, all pages of it, as a file. */
import { useEffect, useRef, useState } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../../i18n/format";
import { unmarked } from "../../live/mark";
import { DownloadIcon } from "../../ui/icons";
import { csvHead, csvLines, download, type Field } from "./csv";
import type { Epochs } from "./follow";
import styles from "./Toolbar.module.css";

interface Props<Row> {
  readonly name: string;
  readonly fields: readonly Field<Row>[];
  /** Gives all rows to `take`, in their order, and says of which epochs they are. */
  readonly read: (take: (rows: readonly Row[]) => void, signal: AbortSignal) => Promise<Epochs>;
}

type Doing =
  | { readonly state: "idle" }
  | { readonly state: "reading"; readonly rows: number }
  | { readonly state: "made"; readonly rows: number; readonly epochs: Epochs }
  | { readonly state: "cancelled" }
  | { readonly state: "failed"; readonly problem: string };

export function Csv<Row>({ name, fields, read }: Props<Row>) {
  const { t } = useTranslation();
  const [doing, setDoing] = useState<Doing>({ state: "idle" });
  const abort = useRef<AbortController | null>(null);
  useEffect(() => () => { abort.current?.abort(); }, []);

  const make = async () => {
    const { signal } = (abort.current = new AbortController());
    const parts = [csvHead(fields)];
    let rows = 0;
    setDoing({ state: "reading", rows });
    try {
      const epochs = await read((page) => {
        parts.push(csvLines(fields, page));
        rows += page.length;
        setDoing({ state: "reading", rows });
      }, signal);
      download(name, parts);
      setDoing({ state: "made", rows, epochs });
    } catch (fault) {
      if (signal.aborted) setDoing({ state: "cancelled" });
      else setDoing({ state: "failed", problem: fault instanceof Error ? fault.message : String(fault) });
    } finally {
      abort.current = null;
    }
  };
  const reading = doing.state === "reading";
  return (
    <>
      <button
        type="button"
        className={styles.button}
        onClick={() => {
          if (reading) abort.current?.abort();
          else void make();
        }}
      >
        {!reading && <DownloadIcon />}
        {reading ? t("csv.cancel") : t("csv.download")}
      </button>
      <p
        className={`${styles.told ?? ""} number ${doing.state === "failed" ? (styles.failed ?? "") : ""}`}
        role="status"
        data-testid="csv"
        {...unmarked("rows")}
      >
        {useWords(doing)}
      </p>
    </>
  );
}

function useWords(doing: Doing): string {
  const { t } = useTranslation();
  const format = useFormat();
  switch (doing.state) {
    case "idle":
      return "";
    case "reading":
      return t("csv.reading", { rows: format.count(doing.rows) });
    case "cancelled":
      return t("csv.cancelled");
    case "failed":
      return t("csv.failed", { problem: doing.problem });
    case "made": {
      const { rows, epochs } = doing;
      const said = { count: rows, rows: format.count(rows), epoch: epochs.last, first: epochs.first, last: epochs.last };
      return epochs.first === epochs.last ? t("csv.made", said) : t("csv.madeOfSome", said);
    }
  }
}
