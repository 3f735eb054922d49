// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import { positions } from "../../src/charts/model";
import type { ModelSlice } from "../../src/api/types";
import type { Column } from "../../src/data/runs";

const slice = (values: ModelSlice["values"]): ModelSlice => ({ name: "p", label: "p", run: 0, values, mean: [], low: [], high: [] });
const column = (categories: string[] | null): Column => ({ key: "p:p", label: "p", role: "parameter", kind: categories ? "category" : "number", log: false, data: new Float64Array(0), categories });

describe("the model along a parameter", () => {
  it("lies where the numbers are", () => expect(positions(slice([1, 2.5]), column(null))).toEqual([1, 2.5]));
  it("lies where the runs' options are, and nowhere where no run has tried one", () =>
    expect(positions(slice(["sgd", 8, "never"]), column(["adam", "8", "sgd"]))).toEqual([2, 1, NaN]));
});
