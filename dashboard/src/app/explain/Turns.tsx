import { useTranslation } from "react-i18next";
import type { List } from "../../api/types";
import { useFormat } from "../../i18n/format";
import type { Paged } from "../lists";
import { Pager } from "../tables/Toolbar";

interface Props {
  /** What has the pages. */
  readonly of: string;
  readonly list: Pick<Paged<List>, "before" | "until" | "more" | "newer" | "older">;
}

/** Turns the pages of a list, where it has more than one. */
export function Turns({ of, list: { before, until, more, newer, older } }: Props) {
  const { t } = useTranslation();
  const format = useFormat();
  if (newer === null && !more) return null;
  return (
    <Pager
      of={of}
      rows={t("tables.rows", { first: format.count(before.rows + 1), last: format.count(until.rows) })}
      names={[t("tables.previous"), t("tables.next")]}
      before={newer}
      after={older}
    />
  );
}
