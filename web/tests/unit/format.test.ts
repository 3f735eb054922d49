// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { age, bytes, csvCell, duration, number, percent, shellWord, shortCount } from "../../src/data/format";

describe("numbers", () => {
  it.each([
    [0, "0"], [0.123456, "0.1235"], [-0.5, "\u22120.5"], [1234, "1234"], [12345, "12\u202f345"], [1e-7, "1e\u22127"], [2.5e9, "2.5e9"], [NaN, "NaN"],
    [Infinity, "∞"], [-Infinity, "\u2212∞"], [99.99999, "100"], [0.000123456, "0.0001235"], [1000000, "1e6"],
  ])("%d is %s", (value, text) => expect(number(value)).toBe(text));
});

describe("durations", () => {
  it.each([
    [0.25, "250 ms"], [3.14, "3.1 s"], [42, "42 s"], [90, "1 min 30 s"], [120, "2 min"], [3599, "1 h"], [3660, "1 h 1 min"], [86400 * 2 + 3600 * 5, "2 d 5 h"], [NaN, "–"], [-1, "–"],
  ])("%d s are %s", (value, text) => expect(duration(value)).toBe(text));
});

it("ages count from now, in one unit", () => {
  expect([2e3, 30e3, 180e3, 7.2e6, 86400e3 * 3, 86400e3 * 30].map((ms) => age(1e12 - ms, 1e12)))
    .toEqual(["just now", "30 s ago", "3 min ago", "2 h ago", "3 d ago", "4 weeks ago"]);
  expect(age(1e12 + 90e3, 1e12)).toBe("in 1 min 30 s");
});

it("sizes have three digits, shares two, counts four characters", () => {
  expect([12, 1500, 4.82e7, 999.6e6].map(bytes)).toEqual(["12 B", "1.5 kB", "48.2 MB", "1 GB"]);
  expect([0.005, 0.28, 1].map(percent)).toEqual(["0.5\u202f%", "28\u202f%", "100\u202f%"]);
  expect([999, 1400, 12000, 1234567].map(shortCount)).toEqual(["999", "1.4k", "12k", "1.23M"]);
});

it("words of a command line are quoted where a shell would take them apart", () => {
  expect(["lr=0.1", "a b", "it's", "$(rm)"].map(shellWord)).toEqual(["lr=0.1", "'a b'", "'it'\\''s'", "'$(rm)'"]);
});

it("cells of CSV are quoted where they must be, and NaN is empty", () => {
  expect(["a", 'b"c', "d,e", NaN, null, 0].map(csvCell)).toEqual(["a", '"b""c"', '"d,e"', "", "", "0"]);
});
