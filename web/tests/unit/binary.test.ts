// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { decodeColumns, decodeCurves } from "../../src/api/binary";
// The mock packs as the server does.
import { pack } from "../../dev/mock_binary.mjs";

const header = {
  version: "a7", replaced: true, rows: 3,
  columns: [
    { name: "number", role: "field", type: "i32" },
    { name: "status", role: "field", type: "u8" },
    { name: "lr", role: "parameter", type: "f64" },
    { name: "opt", role: "parameter", type: "i32", categories: ["sgd", null] },
  ],
};
const arrays = [Int32Array.of(4, 5, 6), Uint8Array.of(2, 1, 4), Float64Array.of(0.1, NaN, 1e-9), Int32Array.of(0, -1, 1)];

describe("columns", () => {
  it("come back as they were packed, whatever their width", () => {
    const told = decodeColumns(pack("HDC1", header, arrays).buffer);
    expect(told.version).toBe("a7");
    expect(told.columns.map((column) => [...column.data])).toEqual(arrays.map((array) => [...array]));
    expect(told.columns[3].categories).toEqual(["sgd", null]);
  });
  it("may be none at all", () => {
    expect(decodeColumns(pack("HDC1", { ...header, rows: 0 }, []).buffer).columns[2].data).toHaveLength(0);
  });
  it("are refused where the answer is something else", () => {
    expect(() => decodeColumns(new TextEncoder().encode("<!doctype html>").buffer)).toThrow(/HDC1/);
    expect(() => decodeColumns(new ArrayBuffer(0))).toThrow(/HDC1/);
  });
  it("are refused where the answer was cut off, in the header and in the data", () => {
    const bytes = pack("HDC1", header, arrays).buffer;
    expect(() => decodeColumns(bytes.slice(0, 40))).toThrow(/header/);
    expect(() => decodeColumns(bytes.slice(0, bytes.byteLength - 16))).toThrow(/column/);
  });
});

describe("curves", () => {
  it("take the number of points from where the last one begins", () => {
    const wire = decodeCurves(pack("HDV1", { version: 1, metric: "loss", of: 9, rows: 2, chosen: "all", envelope: { place: [1], low: [null], median: [2], high: ["NaN"], best: [1] } },
      [Int32Array.of(3, 8), Int32Array.of(0, 1, 3), Int32Array.of(1, 1, 2), Float64Array.of(NaN, 10, 20), Float64Array.of(0.5, 0.4, 0.3), Float64Array.of(7, 8, 9)]).buffer);
    expect([...wire.value]).toEqual([0.5, 0.4, 0.3]);
    expect([...wire.time]).toEqual([7, 8, 9]);
    expect(wire.envelope).toEqual({ place: [1], low: [NaN], median: [2], high: [NaN], best: [1] });
  });
});
