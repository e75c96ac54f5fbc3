import { useEffect, useId, useRef, useState, type SubmitEvent } from "react";
import { useTranslation } from "react-i18next";
import { ApiError, signIn } from "../../api/client";
import { useLiveStore } from "../../live/react";
import { LockIcon } from "../../ui/icons";
import styles from "./SignIn.module.css";

/** Why the token was not taken. */
type Refusal = "wrong" | "slow" | "away";

function refusalOf(fault: unknown): Refusal {
  if (!(fault instanceof ApiError)) return "away";
  if (fault.status === 401 || fault.status === 403) return "wrong";
  return fault.status === 429 || fault.status === 503 ? "slow" : "away";
}

/** One field for the token that the service was started with. */
export function SignIn() {
  const { t } = useTranslation();
  const id = useId();
  const field = useRef<HTMLInputElement>(null);
  const [token, setToken] = useState("");
  const [waiting, setWaiting] = useState(false);
  const [refusal, setRefusal] = useState<Refusal | "empty" | null>(null);
  const store = useLiveStore();
  useEffect(() => {
    // Nothing more comes, and what was known is not kept: signing in starts the page anew.
    store.stop();
    field.current?.focus();
  }, [store]);
  const submit = (event: SubmitEvent) => {
    event.preventDefault();
    if (waiting) return;
    if (token === "") {
      setRefusal("empty");
      field.current?.focus();
      return;
    }
    setWaiting(true);
    setRefusal(null);
    signIn(token).then(
      () => { window.location.reload(); },
      (fault: unknown) => {
        setWaiting(false);
        setRefusal(refusalOf(fault));
        field.current?.focus();
        field.current?.select();
      },
    );
  };
  return (
    <main id="numbers" className={styles.main}>
      <form className={styles.form} onSubmit={submit} noValidate>
        <span className={styles.lock}>
          <LockIcon />
        </span>
        <h2 className={styles.title}>{t("session.title")}</h2>
        <p className={styles.text}>{t("session.text")}</p>
        <label className={styles.label} htmlFor={id}>
          {t("session.token")}
        </label>
        <input
          id={id}
          ref={field}
          className={styles.field}
          type="password"
          name="token"
          autoComplete="current-password"
          autoCapitalize="none"
          spellCheck={false}
          required
          value={token}
          aria-invalid={refusal !== null}
          aria-describedby={`${id}-refusal`}
          onChange={(event) => { setToken(event.target.value); }}
        />
        <p id={`${id}-refusal`} className={styles.refusal} role="alert">
          {refusal === null ? "" : t(`session.${refusal}`)}
        </p>
        <button type="submit" className={styles.submit} aria-disabled={waiting}>
          {t(waiting ? "session.waiting" : "session.submit")}
        </button>
      </form>
    </main>
  );
}
