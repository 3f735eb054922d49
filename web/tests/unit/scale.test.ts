// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { extent, makeScale, niceStep, quantile, robustExtent } from "../../src/charts/scale";

describe("scales", () => {
  it.each(["linear", "log", "time", "duration"] as const)("%s maps there and back", (kind) => {
    const scale = makeScale(kind, 2, 9000, 40, 840);
    for (const value of [2, 17, 450, 9000]) expect(scale.invert(scale.map(value))).toBeCloseTo(value, 6);
    expect(scale.map(2)).toBeCloseTo(40);
    expect(scale.map(9000)).toBeCloseTo(840);
  });
  it("ticks lie within, on round values, and say so exactly", () => {
    const ticks = makeScale("linear", 0.13, 0.94, 0, 100).ticks(5);
    expect(ticks.map((tick) => tick.label)).toEqual(["0.2", "0.4", "0.6", "0.8"]);
    expect(makeScale("log", 1e-5, 0.3, 0, 100).ticks(6).map((tick) => tick.label)).toEqual(["1e\u22125", "0.0001", "0.001", "0.01", "0.1"]);
  });
  it("integers have no ticks between them", () => {
    for (const { value } of makeScale("integer", 0, 3, 0, 100).ticks(10)) expect(Number.isInteger(value)).toBe(true);
  });
  it("one value alone, none, and values that a logarithm lacks still make a scale", () => {
    expect(makeScale("linear", 5, 5, 0, 100).map(5)).toBeCloseTo(50);
    expect(Number.isFinite(makeScale("linear", NaN, NaN, 0, 100).map(0.5))).toBe(true);
    expect(makeScale("log", -1, 10, 0, 100).kind).toBe("linear");
    expect(makeScale("log", 1, 10, 0, 100).map(-3)).toBeNaN();
  });
  it("categories have a band each", () => {
    const scale = makeScale("category", 0, 0, 0, 90, ["a", "b", "c"]);
    expect([0, 1, 2].map(scale.map)).toEqual([15, 45, 75]);
  });
});

it("steps are 1, 2 or 5 times a power of ten", () => {
  for (const span of [0.003, 0.7, 1, 42, 9999]) {
    const mantissa = Number((niceStep(span, 5) / 10 ** Math.floor(Math.log10(niceStep(span, 5)) + 1e-9)).toPrecision(6));
    expect([1, 2, 5]).toContain(mantissa);
  }
});

it("extents leave out what is not finite, and quantiles interpolate", () => {
  expect(extent([NaN, 3, -Infinity, 1, 2])).toEqual([1, 3]);
  expect(extent([-1, 0, 4], 3, true)).toEqual([4, 4]);
  expect(quantile([1, 2, 3, 4], 0.5)).toBe(2.5);
});

it("a run that diverged does not flatten the others", () => {
  const data = Float64Array.from({ length: 100 }, (_, i) => (i === 7 ? 1e12 : i / 100));
  const [low, high] = robustExtent(data, 100);
  expect(low).toBe(0);
  expect(high).toBeLessThan(5);
});
