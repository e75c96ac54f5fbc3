import type { ReactNode } from "react";
import { useTranslation } from "react-i18next";
import { useFormat } from "../i18n/format";
import { markOf, unmarked } from "../live/mark";
import { useLive } from "../live/react";
import { Flash } from "../ui/Flash";
import { linkTo, move, type Moves } from "./address";
import { Calmly } from "./Calmly";
import { ProofLine } from "./ProofLine";
import { useTrust } from "./trust";
import styles from "./TrustLine.module.css";

const COUNTS = ["read", "duplicates", "corrections", "cancellations", "rejected"] as const;
/** The tables that hold the records which were counted so. */
const TABLES: Partial<Record<(typeof COUNTS)[number], string>> = {
  corrections: "corrections",
  cancellations: "corrections",
  rejected: "rejected",
};

/** Whether the numbers are those of this moment, how old the newest is, and what became of the records. */
export function TrustLine() {
  return (
    <Line>
      <Calmly>
        <ProofLine />
      </Calmly>
      <Counts />
    </Line>
  );
}

/** Says with each commit where the page stands; what is on the line beside that renders by itself. */
function Line({ children }: { readonly children: ReactNode }) {
  const { t } = useTranslation();
  const epoch = useLive((state) => state.epoch);
  const committed = useLive((state) => state.committedAt);
  const { trust, icon: Icon, name, detail } = useTrust();
  return (
    <section
      className={styles.line}
      aria-label={t("trust.label")}
      data-trust={trust}
      data-epoch={epoch}
      data-committed={committed ?? undefined}
    >
      <p className={styles.state}>
        <span className={styles.badge}>
          <Icon />
          {name}
        </span>
        <span className={`${styles.detail ?? ""} number`} {...unmarked("age")}>
          {detail}
        </span>
      </p>
      {children}
    </section>
  );
}

function Counts() {
  const { t } = useTranslation();
  const format = useFormat();
  const counts = useLive((state) => state.counts);
  const ready = useLive((state) => state.ready);
  return (
    <dl className={styles.counts} aria-label={t("counts.label")}>
      {COUNTS.map((name) => (
        <div key={name} title={t(`counts.${name}Hint`)} data-testid={`count-${name}`}>
          <dt>
            <Name name={name} />
          </dt>
          <dd>
            <Flash
              value={counts[name]}
              scope={String(ready)}
              text={ready ? format.count(counts[name]) : "–"}
              of={ready ? markOf("sources", name) : undefined}
            />
          </dd>
        </div>
      ))}
    </dl>
  );
}

/** What a counter counts; where a table holds those records, a link to them. */
function Name({ name }: { readonly name: (typeof COUNTS)[number] }) {
  const { t } = useTranslation();
  const table = TABLES[name];
  if (table === undefined) return t(`counts.${name}`);
  const to: Moves = { view: "tables", table };
  return (
    <a
      className={styles.link}
      href={linkTo(to)}
      onClick={(event) => {
        if (event.button !== 0 || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
        event.preventDefault();
        move(to);
      }}
    >
      {t(`counts.${name}`)}
    </a>
  );
}
