// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { axisScale, rangeOf, shuffled } from "../../src/charts/parallel_model";
import { highlight } from "../../src/components/yaml";
import { plainLines } from "../../src/components/log_view";
import { abscissa, curveOf, merge, running, smooth } from "../../src/data/curves";
import type { Column, RunTable } from "../../src/data/runs";

const curve = { run: 1, place: [1, 2, 3], step: [NaN, NaN, NaN], value: [3, NaN, 1], time: [10, 12, 15] };

describe("curves", () => {
  it("count reports where a script names no steps, and time from the first report", () => {
    expect(abscissa(curve, "step")).toEqual([1, 2, 3]);
    expect(abscissa(curve, "elapsed")).toEqual([0, 2, 5]);
    expect(abscissa(curve, "compute", 4)).toEqual([6, 8, 11]);
    // Of an attempt before this one, or of nobody: it is not known.
    expect(abscissa(curve, "compute", 11)).toEqual([0, 2, 5]);
    expect(abscissa(curve, "compute")).toEqual([0, 2, 5]);
    expect(abscissa(curve, "time")).toEqual([10000, 12000, 15000]);
  });
  it("are smoothed without a pull towards zero, over gaps", () => {
    expect([...smooth([4, 4, 4], 0.9)].map((v) => Number(v.toFixed(9)))).toEqual([4, 4, 4]);
    const smoothed = smooth([2, NaN, 4], 0.5);
    expect(smoothed[1]).toBeNaN();
    expect(smoothed[2]).toBeGreaterThan(2);
    expect(smoothed[2]).toBeLessThan(4);
  });
  it("know the best so far by the goal", () => {
    expect([...running([3, NaN, 4, 1], "Minimize")]).toEqual([3, 3, 3, 1]);
    expect([...running([NaN, 4, 1], "Maximize")]).toEqual([NaN, 4, 4]);
  });
  it("are replaced run by run while they grow", () => {
    const curves = { metric: "loss", of: 1, chosen: "all", envelope: null, list: [curve] };
    const series = (run: number) => ({ run, attempt: 1, count: 1, place: [1], step: [null], value: ["NaN" as const], time: [1] });
    const next = merge(curves, [series(1), series(2)]);
    expect(next.list.map((one) => [one.run, one.value.length])).toEqual([[1, 1], [2, 1]]);
    expect(curves.list[0].value).toHaveLength(3);
  });
});

describe("axes of parallel coordinates", () => {
  const column = (data: number[], more: Partial<Column> = {}): Column => ({ key: "p:x", label: "x", role: "parameter", kind: "number", log: false, data: Float64Array.from(data), categories: null, ...more });
  const table = { rows: 3 } as RunTable;
  it("turn around when flipped, and a brush means the same values then", () => {
    const c = column([0, 5, 10]);
    const up = axisScale(table, c, { key: "p:x", flipped: false, log: null }), down = axisScale(table, c, { key: "p:x", flipped: true, log: null });
    expect([up.map(10), down.map(10)]).toEqual([1, 0]);
    for (const range of [rangeOf(up, c, 0.2, 0.5), rangeOf(down, c, 0.5, 0.8)]) expect(range.map((v) => Number(v.toFixed(9)))).toEqual([2, 5]);
  });
  it("take what lies beyond their end with a brush that reaches it, on the right side", () => {
    const c = column([0, 5, 10]);
    expect(rangeOf(axisScale(table, c, { key: "", flipped: false, log: null }), c, 0.5, 1)).toEqual([5, Infinity]);
    expect(rangeOf(axisScale(table, c, { key: "", flipped: true, log: null }), c, 0.5, 1)).toEqual([-Infinity, 5]);
  });
  it("brush whole categories", () => {
    const c = column([0, 1, 2], { categories: ["a", "b", "c"], kind: "category" });
    const scale = axisScale(table, c, { key: "", flipped: false, log: null });
    expect(rangeOf(scale, c, scale.map(0.8), scale.map(1.3))).toEqual([0.5, 1.5]);
  });
});

it("the shuffle has every row once, and is the same each time", () => {
  expect([...shuffled(1000)].sort((a, b) => a - b)).toEqual(Array.from({ length: 1000 }, (_, i) => i));
  expect(shuffled(50)).toEqual(shuffled(50));
});

it("logs show control characters instead of obeying them", () => {
  expect(plainLines("\x1b[31mred\x1b[0m\n10%\r100%\r\n\x07bell\u202e\n")).toEqual(["red", "100%", "\\x07bell\\x202e"]);
});

it("YAML is coloured word by word, and nothing of the text is lost", () => {
  const line = "  - {name: --lr, values: [1.0e-5, 0.3]} # 'why'";
  expect(highlight(line).map(([, text]) => text).join("")).toBe(line);
  expect(highlight("seed: 7 # x")).toEqual([["key", "seed"], ["mark", ":"], ["", " "], ["number", "7"], ["", " "], ["comment", "# x"]]);
  expect(highlight("command: python3 train.py").some(([kind]) => kind === "number")).toBe(false);
});

it("a curve's reports are counted from 1, as policies and people do", () => {
  expect(curveOf({ run: 0, attempt: 1, count: 2, place: [0, 1], step: [null, 5], value: [1, "NaN"], time: [1, 2] })).toEqual({ run: 0, place: [1, 2], step: [NaN, 5], value: [1, NaN], time: [1, 2] });
});
