/**
 * Rows as CSV: RFC 4180, UTF-8, the names of the columns in the first line, amounts as exact decimal text. What is
 * text and would be a formula to a spreadsheet gets an apostrophe before it; a number is a number, negative or not.
 */

/** A column of the file. */
export interface Field<Row> {
  /** The name that the service gives the column, in every language. */
  readonly name: string;
  /** Text, or a decimal number; null is an empty cell. */
  readonly of: (row: Row) => string | number | null;
  /** True for decimal text: nothing is put before its sign. */
  readonly exact?: boolean;
}

/** Tells spreadsheets that what follows is UTF-8. */
const MARK = "\uFEFF";
const FORMULA = /^[=+\-@\t\r]/;
const TO_QUOTE = /[",\r\n]/;
const NUMBER = /^-?\d+(?:\.\d+)?$/;

const quoted = (text: string): string => (TO_QUOTE.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Text that no spreadsheet takes for a formula. */
export const harmless = (text: string): string => (FORMULA.test(text) ? `'${text}` : text);

function cell<Row>({ of, exact = false }: Field<Row>, row: Row): string {
  const value = of(row);
  if (value === null) return "";
  if (typeof value === "number") return String(value);
  return exact && NUMBER.test(value) ? value : quoted(harmless(value));
}

/** The lines of these rows, each ended. */
export const csvLines = <Row>(fields: readonly Field<Row>[], rows: readonly Row[]): string =>
  rows.map((row) => `${fields.map((field) => cell(field, row)).join(",")}\r\n`).join("");

/** What a file begins with. */
export const csvHead = <Row>(fields: readonly Field<Row>[]): string =>
  `${MARK}${fields.map(({ name }) => quoted(name)).join(",")}\r\n`;

/** A file's name from what it is of: each part as a file may be called. */
export const fileName = (parts: readonly (string | null)[]): string =>
  `${["takings", ...parts]
    .filter((part) => part !== null && part !== "")
    .map((part) => (part ?? "").replace(/[^\p{L}\p{N}.-]+/gu, "-").slice(0, 60))
    .join("_")}.csv`;

/** Hands the file to the browser. */
export function download(name: string, parts: readonly string[]): void {
  const url = URL.createObjectURL(new Blob([...parts], { type: "text/csv;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = url;
  link.download = name;
  document.body.append(link);
  link.click();
  link.remove();
  // The browser has taken it by the next task.
  setTimeout(() => { URL.revokeObjectURL(url); }, 0);
}
