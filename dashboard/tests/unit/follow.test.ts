import { describe, expect, it } from "vitest";
import { follow } from "../../src/app/tables/follow";

const pages = [
  { epoch: 41, rows: ["a", "b"], next_cursor: "1" },
  { epoch: 43, rows: ["c"], next_cursor: "2" },
  { epoch: 42, rows: ["d"], next_cursor: null },
];
const ask = (cursor: string | null) => {
  const page = pages[Number(cursor ?? "0")];
  return page ? Promise.resolve(page) : Promise.reject(new Error(`no page ${cursor ?? ""}`));
};

describe("following the cursors", () => {
  it("takes every page in order, and tells between which epochs they were read", async () => {
    const taken: string[] = [];
    const epochs = await follow(ask, (rows) => taken.push(...rows), new AbortController().signal);
    expect(taken).toEqual(["a", "b", "c", "d"]);
    expect(epochs).toEqual({ first: 41, last: 43 });
  });

  it("ends where it is cancelled, and where the service fails", async () => {
    const abort = new AbortController();
    const taken: string[] = [];
    const cancelled = follow(ask, (rows) => {
      taken.push(...rows);
      abort.abort();
    }, abort.signal);
    await expect(cancelled).rejects.toThrow();
    expect(taken).toEqual(["a", "b"]);
    const failing = follow((cursor) => (cursor === "1" ? Promise.reject(new Error("away")) : ask(cursor)), () => undefined, new AbortController().signal);
    await expect(failing).rejects.toThrow("away");
  });
});
