// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { WireColumns } from "../../src/api/binary";
import { staircase } from "../../src/charts/history";
import { order, shades } from "../../src/data/ranks";
import { RunTable, spent, STOPPED } from "../../src/data/runs";
import { maskOf, Selection } from "../../src/data/selection";

function wire(numbers: number[], best: number[], option: number[], categories: string[], replaced = true): WireColumns {
  return {
    version: "1", replaced, rows: numbers.length,
    columns: [
      { name: "number", role: "field", type: "i32", data: Int32Array.from(numbers) },
      { name: "status", role: "field", type: "u8", data: Uint8Array.from(numbers, (n) => (n === 2 ? 4 : 2)) },
      { name: "ended_by", role: "field", type: "u8", data: Uint8Array.from(numbers, (n) => (n === 2 ? 4 : 1)) },
      { name: "started", role: "field", type: "f64", data: Float64Array.from(numbers, (n) => n * 10) },
      { name: "ended", role: "field", type: "f64", data: Float64Array.from(numbers, (n) => n * 10 + 4) },
      { name: "best", role: "field", type: "f64", data: Float64Array.from(best) },
      { name: "opt", role: "parameter", type: "i32", categories, data: Int32Array.from(option) },
    ],
  };
}

function table(): RunTable {
  const made = new RunTable("loss", "Minimize");
  made.apply(wire([0, 1, 2, 3], [5, 3, NaN, 4], [0, 1, -1, 0], ["sgd", "adam"]));
  return made;
}

describe("compute", () => {
  it("is what all runs together had trained when each ended", () => {
    const result = new Float64Array(4).fill(NaN);
    // Side by side, one after them, one that goes on, and one that never began.
    spent(Float64Array.from([100, 102, 110, NaN]), Float64Array.from([104, 106, NaN, NaN]), 4, result);
    expect([...result]).toEqual([4 + 2, 4 + 4, NaN, NaN]);
    spent(Float64Array.from([1.8e9, 1.8e9 + 5, 1.8e9 + 8]), Float64Array.from([1.8e9 + 10, 1.8e9 + 7, 1.8e9 + 9]), 3, result);
    expect([...result.subarray(0, 3)]).toEqual([10 + 2 + 1, 7 + 2, 9 + 2 + 1]);
  });
  it("is a column of the table that follows the runs", () => {
    const runs = table();
    expect([...runs.data("compute").subarray(0, 4)]).toEqual([4, 8, 12, 16]);
    runs.apply(wire([4], [1], [0], ["sgd"], false));
    expect(runs.column("compute")!.data[4]).toBe(20);
  });
});

describe("the table of runs", () => {
  it("tells the best by the goal, and takes what the policy stopped for stopped", () => {
    const runs = table();
    expect(runs.number(runs.bestRow())).toBe(1);
    expect(runs.data("status")[2]).toBe(STOPPED);
    expect(runs.data("took")[3]).toBe(4);
  });
  it("takes changes into the rows that are there, and adds new ones, beyond its capacity too", () => {
    const runs = table();
    const more = Array.from({ length: 200 }, (_, i) => i + 3);
    runs.apply(wire(more, more.map((n) => n / 100), more.map(() => 0), ["adam"], false));
    expect(runs.rows).toBe(203);
    expect(runs.data("best")[3]).toBeCloseTo(0.03);
    expect(runs.data("best")[1]).toBe(3);
    expect(runs.version.value).toBe(2);
  });
  it("keeps what an option means when the server lists them in another order", () => {
    const runs = table();
    runs.apply(wire([0, 4], [5, 1], [1, 2], ["adam", "sgd", "lion"], false));
    const column = runs.column("p:opt")!;
    expect([0, 1, 3, 4].map((row) => column.categories![column.data[row]])).toEqual(["sgd", "adam", "sgd", "lion"]);
    expect(column.data[2]).toBeNaN();
  });
  it("begins anew where the server replaced all", () => {
    const runs = table();
    runs.apply(wire([9], [1], [0], ["sgd"]));
    expect(runs.rows).toBe(1);
    expect(runs.row(0)).toBe(-1);
  });
});

describe("brushes", () => {
  it("of several columns must all be met, of one column any; without a value none is", () => {
    const runs = table();
    expect([...maskOf(runs, new Map([["best", [[0, 4.5]]]])).bits]).toEqual([0, 1, 0, 1]);
    expect([...maskOf(runs, new Map([["best", [[3, 3], [5, 5]]]])).bits]).toEqual([1, 1, 0, 0]);
    expect(maskOf(runs, new Map([["best", [[0, 9]]], ["p:opt", [[-0.5, 0.5]]]])).count).toBe(2);
  });
  it("text finds a run by its number, and options by a part of their name", () => {
    const runs = table();
    expect([...maskOf(runs, new Map(), "AD").bits]).toEqual([0, 1, 0, 0]);
    expect([...maskOf(runs, new Map(), "2").bits]).toEqual([0, 0, 1, 0]);
  });
  it("follow the data, and are gone when cleared", () => {
    const runs = table();
    const selection = new Selection(runs);
    selection.brush("best", [[0, 1]]);
    expect(selection.mask.value.count).toBe(0);
    runs.apply(wire([7], [0.5], [0], ["sgd"], false));
    expect(selection.mask.value.count).toBe(1);
    selection.clear();
    expect(selection.mask.value).toMatchObject({ count: 5, all: true });
  });
});

it("shades go by rank and goal; without a value there is none", () => {
  expect([...shades(table(), "best")]).toEqual([0, 63, 255, 32]);
});

it("the staircase of the best so far has a step for each improvement alone", () => {
  const x = Float64Array.of(3, 0, 1, 2), y = Float64Array.of(2, 5, 7, 4);
  expect(staircase(x, y, order(x, 4), true)).toEqual({ x: [0, 2, 2, 3, 3], y: [5, 5, 4, 4, 2] });
  expect(staircase(x, y, order(x, 4), false)).toEqual({ x: [0, 1, 1], y: [5, 5, 7] });
});
