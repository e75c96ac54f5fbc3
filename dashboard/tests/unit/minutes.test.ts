import { describe, expect, it } from "vitest";
import { firstMinute, MINUTES, perMinute } from "../../src/live/minutes";
import { Table } from "../../src/live/table";

const at = (time: string) => `2026-11-22T${time}:00.000Z`;
const row = (time: string, currency: string, orders: number) => ({
  minute: at(time),
  currency,
  total_sales: `${orders}.500000`,
  orders,
  units: orders,
  epoch: 1,
});

function minutes(...rows: ReturnType<typeof row>[]): Table {
  const table = new Table("orders_per_minute", null);
  for (const each of rows) table.put(each);
  return table;
}

describe("the last hour", () => {
  it("ends with the log's newest minute, and has nothing where there was no order", () => {
    const table = minutes(row("11:04", "EUR", 9), row("11:05", "EUR", 2), row("12:02", "EUR", 3));
    const hour = perMinute(table, "EUR", Date.parse("2026-11-22T12:04:59.999Z"));
    expect([hour.length, hour[0]?.period, hour.at(-1)?.period]).toEqual([MINUTES, at("11:05"), at("12:04")]);
    expect(hour.filter(({ orders }) => orders > 0).map(({ period, orders, micros }) => [period, orders, micros])).toEqual([
      [at("11:05"), 2, 2_500_000n],
      [at("12:02"), 3, 3_500_000n],
    ]);
    expect(firstMinute(Date.parse("2026-11-22T12:04:59.999Z"))).toBe(at("11:05"));
  });

  it("is the same hour in all currencies, and goes by the newest order where no record has a time", () => {
    const table = minutes(row("12:02", "EUR", 3), row("12:30", "FCFA", 1));
    expect(perMinute(table, "EUR", null).at(-1)).toMatchObject({ period: at("12:30"), orders: 0 });
    expect(perMinute(minutes(), "EUR", null)).toEqual([]);
    expect(firstMinute(null)).toBeNull();
  });

  it("is not taken over by an order whose clock was fast: the log's newest record says where it ends", () => {
    const table = minutes(row("12:02", "EUR", 3), row("13:01", "EUR", 1), { ...row("12:00", "EUR", 1), minute: "2100-01-01T00:00:00.000Z" });
    const hour = perMinute(table, "EUR", Date.parse(at("12:04")));
    expect(hour.at(-1)?.period).toBe(at("12:04"));
    expect(hour.filter(({ orders }) => orders > 0).map(({ period }) => period)).toEqual([at("12:02")]);
  });
});
