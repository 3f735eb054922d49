// SPDX-License-Identifier: Apache-2.0
// The small note beside a point: which run it is, and its values.
import { age, bytes, duration, number } from "../data/format";
import { STATUS, type Column } from "../data/runs";
import type { SweepStore } from "../data/sweep_store";
import type { Painter } from "./painter";
import type { Size } from "./plot";
import type { Theme } from "./theme";
import { cut } from "./axes";

export function cellText(column: Column, row: number): string {
  const value = column.data[row];
  if (Number.isNaN(value)) return "–";
  if (column.categories) return column.categories[value] ?? "–";
  if (column.kind === "time") return age(value * 1000, Date.now());
  if (column.kind === "duration") return duration(value);
  if (column.kind === "bytes") return bytes(value);
  return number(value, column.role === "parameter" ? 4 : 5);
}

export interface Tip {
  title: string;
  lines: [string, string][];
}

export function tipOf(store: SweepStore, row: number, keys: string[]): Tip {
  const status = STATUS[store.runs.data("status")[row]] ?? "";
  const wanted = [...new Set(["best", ...keys])].filter((key) => key !== "number");
  const lines: [string, string][] = [];
  for (const key of wanted) {
    const column = store.runs.column(key);
    if (column) lines.push([cut(column.label, 20), cut(cellText(column, row), 18)]);
  }
  return { title: `Run ${store.runs.number(row)}  ${status.toLowerCase()}`, lines };
}

/** Draws it where there is room: right above the point, else on the other side. */
export function drawTip(p: Painter, size: Size, theme: Theme, x: number, y: number, tip: Tip): void {
  const longest = Math.max(tip.title.length * 6.6, ...tip.lines.map(([a, b]) => (a.length + b.length) * 6.4 + 18));
  const width = Math.min(size.width - 8, Math.ceil(longest) + 20), height = 26 + tip.lines.length * 17;
  const left = x + 12 + width > size.width ? Math.max(2, x - 12 - width) : x + 12;
  const top = Math.max(2, Math.min(y - height - 8 < 2 ? y + 12 : y - height - 8, size.height - height - 2));
  p.rect(left + 0.5, top + 0.5, width, height, { fill: theme.surface, stroke: theme.line2, alpha: 0.97 });
  p.text(left + 10, top + 14, tip.title, { color: theme.ink, weight: 600, size: 12 });
  tip.lines.forEach(([name, value], i) => {
    const at = top + 31 + i * 17;
    p.text(left + 10, at, name, { color: theme.ink3, size: 11 });
    p.text(left + width - 10, at, value, { color: theme.ink, size: 12, align: "right", weight: 500 });
  });
}
