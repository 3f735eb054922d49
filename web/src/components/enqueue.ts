// SPDX-License-Identifier: Apache-2.0
// A point of one's own: a form made from the search space, perhaps begun from a run.
import type { Json, Parameter, SweepDetail } from "../api/types";
import { number } from "../data/format";
import { categoryText } from "../data/runs";
import { ask, type Field } from "./command_dialog";

export function rangeHint(parameter: Parameter): string {
  if (parameter.mu !== null) return `normal, mu ${parameter.mu}, sigma ${parameter.sigma}`;
  const range = `${number(parameter.low ?? NaN)} to ${number(parameter.high ?? NaN)}`;
  return parameter.q !== null ? `${range}, step ${parameter.q}` : range;
}

export function fieldsOf(space: Parameter[], near: Record<string, Json> = {}): Field[] {
  return space.map((parameter) => {
    const given = near[parameter.name] ?? near[parameter.as_written];
    const value = given === undefined ? "" : typeof given === "string" ? given : JSON.stringify(given);
    return {
      key: parameter.name, label: parameter.name, value, numeric: !parameter.options,
      hint: parameter.condition ?? (parameter.options ? undefined : rangeHint(parameter)),
      choices: parameter.options ? ["", ...parameter.options.map(categoryText)] : undefined,
    };
  });
}

export function askEnqueue(detail: SweepDetail, done: () => void, near?: { run: number; parameters: Record<string, Json> }): void {
  ask({
    title: near ? `Try a point near run ${near.run}` : "Try a point of your own",
    text: `It comes next, before the sampler is asked, and counts as a run. What is left empty is drawn at random.${detail.state === "live" ? "" : " It waits until the sweep is resumed."}`,
    action: "Enqueue",
    fields: fieldsOf(detail.space, near?.parameters),
    args: (values) => ["enqueue", detail.id, ...detail.space.filter((p) => values[p.name]?.trim()).map((p) => `${p.name}=${values[p.name].trim()}`)],
    ready: (values) => Object.values(values).some((value) => value.trim()),
    done,
  });
}
