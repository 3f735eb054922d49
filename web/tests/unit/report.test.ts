// SPDX-License-Identifier: Apache-2.0
import { describe, expect, it } from "vitest";
import type { Run, Thresholds } from "../../src/api/types";
import { EmbeddedSource, type Embedded } from "../../src/data/source";

const source = (more: Partial<Embedded>) => new EmbeddedSource({ sweep: { short_id: "HD_1" }, runs: {}, thresholds: {}, curves: {}, ...more } as Embedded);

describe("a report", () => {
  it("shows a run although its environment is not in the file", async () => {
    const { environment, ...told } = { number: 3, status: "Completed", environment: {} } as Run;
    expect(environment).toEqual({});
    expect((await source({ runs: { 3: told as Run } }).run("", 3)).environment).toEqual({});
  });
  it("says where what it has not is to be seen", async () => {
    await expect(source({}).run("", 3)).rejects.toThrow("hdrive ui HD_1");
    await expect(source({}).thresholds("", 3)).rejects.toThrow("thresholds of run 3");
  });
  it("has what the policy compared, and the model", async () => {
    const told: Thresholds = { metric: "loss", places: [1], own: [2], threshold: [null] };
    const model = { metric: "loss", results: 0, noise: null, why: "random has none", parameters: [] };
    expect(await source({ thresholds: { 3: told } }).thresholds("", 3)).toBe(told);
    expect(await source({ model }).model()).toBe(model);
  });
});
