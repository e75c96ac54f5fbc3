/** The page's languages: the chosen one, else the browser's first that we speak, else English. */
import i18next, { type i18n } from "i18next";
import { initReactI18next } from "react-i18next";
import en from "./en.json";
import fr from "./fr.json";

export const LANGUAGES = ["en", "fr"] as const;
export type Language = (typeof LANGUAGES)[number];

/** Each language by its own name. */
export const LANGUAGE_NAMES: Record<Language, string> = { en: "English", fr: "Français" };

const STORED = "takings.language";

export const isLanguage = (text: unknown): text is Language =>
  LANGUAGES.some((language) => language === text);

export function preferredLanguage(stored: string | null, browser: readonly string[]): Language {
  if (isLanguage(stored)) return stored;
  for (const tag of browser) {
    const language = tag.slice(0, 2).toLowerCase();
    if (isLanguage(language)) return language;
  }
  return "en";
}

/** The tag for Intl: the reader's own variant of the language (en-GB, fr-CH) where the browser names one. */
export const localeOf = (language: Language, browser: readonly string[]): string =>
  browser.find((tag) => tag.toLowerCase().startsWith(language)) ?? language;

export function storedLanguage(): string | null {
  try {
    return localStorage.getItem(STORED);
  } catch {
    return null;
  }
}

export async function startI18n(language: Language): Promise<i18n> {
  document.documentElement.lang = language;
  await i18next.use(initReactI18next).init({
    lng: language,
    fallbackLng: "en",
    resources: { en: { translation: en }, fr: { translation: fr } },
    // React escapes.
    interpolation: { escapeValue: false },
  });
  return i18next;
}

export function chooseLanguage(language: Language): void {
  document.documentElement.lang = language;
  try {
    localStorage.setItem(STORED, language);
  } catch {
    // Storage is blocked: the choice lasts as long as the page.
  }
  void i18next.changeLanguage(language);
}
