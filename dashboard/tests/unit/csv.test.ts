import fc from "fast-check";
import { describe, expect, it } from "vitest";
import { csvHead, csvLines, fileName, harmless, type Field } from "../../src/app/tables/csv";

interface Row {
  readonly name: string;
  readonly total: string;
  readonly orders: number | null;
}
const FIELDS: readonly Field<Row>[] = [
  { name: "name", of: ({ name }) => name },
  { name: "total_sales", of: ({ total }) => total, exact: true },
  { name: "orders", of: ({ orders }) => orders },
];
const row = (name: string, total = "1.000000", orders: number | null = 1): Row => ({ name, total, orders });
const lines = (...rows: Row[]) => csvLines(FIELDS, rows);

/** What RFC 4180 says of reading, as a spreadsheet does it. */
function parse(text: string): string[][] {
  const records: string[][] = [];
  const cells = /(?:"((?:[^"]|"")*)"|([^",\r\n]*))(,|\r\n)/gy;
  let record: string[] = [];
  for (const [, quoted, plain = "", end] of text.matchAll(cells)) {
    record.push(quoted?.replaceAll('""', '"') ?? plain);
    if (end === ",") continue;
    records.push(record);
    record = [];
  }
  return records;
}

describe("a file of rows", () => {
  it("begins with a mark of its encoding and the names of its columns", () => {
    expect(csvHead(FIELDS)).toBe("\uFEFFname,total_sales,orders\r\n");
  });

  it("has a line a row, amounts exact, nothing where there is nothing", () => {
    expect(lines(row("Books", "1234567890123456.789012"), row("Toys", "-0.100000", null))).toBe(
      "Books,1234567890123456.789012,1\r\nToys,-0.100000,\r\n",
    );
  });

  it("quotes what would end a cell", () => {
    expect(lines(row('A "b", c'), row("two\r\nlines"))).toBe('"A ""b"", c",1.000000,1\r\n"two\r\nlines",1.000000,1\r\n');
  });

  it.each(["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\r=1"])("does not let %j be a formula", (text) => {
    expect(harmless(text)).toBe(`'${text}`);
    expect(parse(lines(row(text)))[0]?.[0]).toBe(`'${text}`);
  });

  it("leaves a number a number, and guards what only claims to be one", () => {
    expect(lines(row("a", "-12.340000", -3))).toBe("a,-12.340000,-3\r\n");
    expect(lines(row("a", "-1+cmd"))).toBe("a,'-1+cmd,1\r\n");
  });

  it("is read back as it was, whatever the names hold", () => {
    const unit = fc.constantFrom("a", "é", "\u{1F600}", ",", '"', "\r", "\n", "=", "-", "@", "\t", "'", " ");
    fc.assert(
      fc.property(fc.array(fc.string({ unit, maxLength: 8 }), { minLength: 1, maxLength: 8 }), (names) => {
        const read = parse(lines(...names.map((name) => row(name))));
        expect(read.map(([name]) => name)).toEqual(names.map(harmless));
      }),
      { seed: 7 },
    );
  });

  it("is named after what it is of, as a file may be", () => {
    expect(fileName(["sales-per-day", "2026-10-28", "2026-11-26", "EUR", null, "Books & Co/../x"])).toBe(
      "takings_sales-per-day_2026-10-28_2026-11-26_EUR_Books-Co-..-x.csv",
    );
  });
});
