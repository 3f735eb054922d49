// SPDX-License-Identifier: Apache-2.0
// Two axes around a plot: hairlines, few ticks, the name of y above its axis and that of x below its end, so that nothing stands on its head.
import type { Painter } from "./painter";
import type { Size } from "./plot";
import { makeScale, type Scale, type ScaleKind } from "./scale";
import type { Theme } from "./theme";

export interface AxisSpec {
  kind: ScaleKind;
  low: number;
  high: number;
  label: string;
  categories?: string[] | null;
  /** Free space at the ends, as a share. */
  pad?: number;
}

export interface Frame {
  left: number;
  top: number;
  width: number;
  height: number;
  x: Scale;
  y: Scale;
  xSpec: AxisSpec;
  ySpec: AxisSpec;
}

function padded(spec: AxisSpec): [number, number] {
  const pad = spec.pad ?? 0.03;
  if (spec.kind === "log" && spec.low > 0) {
    const reach = Math.log(spec.high / spec.low) * pad;
    return [spec.low * Math.exp(-reach), spec.high * Math.exp(reach)];
  }
  const reach = (spec.high - spec.low) * pad;
  return [spec.low - reach, spec.high + reach];
}

function tickWidth(spec: AxisSpec, scale: Scale): number {
  const longest = Math.max(0, ...scale.ticks(5).map((tick) => Math.min(tick.label.length, spec.kind === "category" ? 12 : 9)));
  return Math.ceil(longest * 6.4) + 12;
}

export function layout(size: Size, xSpec: AxisSpec, ySpec: AxisSpec, compact = false): Frame {
  const top = compact ? 6 : 22, bottom = compact ? 20 : 36, right = 14;
  const height = Math.max(10, size.height - top - bottom);
  const y = makeScale(ySpec.kind, ...padded(ySpec), top + height, top, ySpec.categories ?? []);
  const left = compact && size.width < 200 ? Math.min(40, tickWidth(ySpec, y)) : Math.max(34, tickWidth(ySpec, y));
  const width = Math.max(10, size.width - left - right);
  const x = makeScale(xSpec.kind, ...padded(xSpec), left, left + width, xSpec.categories ?? []);
  return { left, top, width, height, x, y, xSpec, ySpec };
}

export function cut(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, Math.max(1, most - 1))}…`;
}

export function drawAxes(p: Painter, frame: Frame, theme: Theme, compact = false): void {
  const { left, top, width, height, x, y } = frame;
  const bottom = top + height;
  for (const tick of y.ticks(Math.max(2, Math.floor(height / (compact ? 36 : 44))))) {
    const at = y.map(tick.value);
    if (at < top - 1 || at > bottom + 1) continue;
    p.line([left, left + width], [Math.round(at) + 0.5, Math.round(at) + 0.5], 0, 2, { color: theme.line });
    p.text(left - 7, at, cut(tick.label, 12), { color: theme.ink3, size: 11, align: "right" });
  }
  p.line([left, left + width], [bottom + 0.5, bottom + 0.5], 0, 2, { color: theme.line2 });
  const most = Math.max(2, Math.floor(width / (frame.xSpec.kind === "category" ? 64 : 76)));
  const ticks = x.ticks(most);
  const room = frame.xSpec.kind === "category" ? Math.max(3, Math.floor(width / Math.max(1, ticks.length) / 6.6)) : 20;
  for (const tick of ticks) {
    const at = x.map(tick.value);
    if (at < left - 1 || at > left + width + 1) continue;
    p.line([at, at], [bottom, bottom + 4], 0, 2, { color: theme.line2 });
    const edge = at > left + width - 14 ? "right" : at < left + 6 && frame.xSpec.kind !== "category" ? "left" : "center";
    p.text(edge === "right" ? Math.min(at + 8, left + width + 10) : edge === "left" ? at - 3 : at, bottom + 7, cut(tick.label, room),
           { color: theme.ink3, size: 11, align: edge, baseline: "top" });
  }
  if (compact) return;
  p.text(left, 8, frame.ySpec.label, { color: theme.ink2, size: 11, weight: 500 });
  p.text(left + width, bottom + 27, frame.xSpec.label, { color: theme.ink2, size: 11, weight: 500, align: "right" });
}
