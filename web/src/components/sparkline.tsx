// SPDX-License-Identifier: Apache-2.0
// Best so far over the runs, as small as a word.
import { toNumber, type Sweep } from "../api/types";
import { number } from "../data/format";

export function Sparkline({ sweep, width = 120, height = 28 }: { sweep: Sweep; width?: number; height?: number }) {
  const points = sweep.improvements.map(([run, value]) => [run, toNumber(value)] as const).filter(([, value]) => Number.isFinite(value));
  if (!points.length) return <svg class="spark" width={width} height={height} aria-hidden="true"><line x1="2" x2={width - 2} y1={height / 2} y2={height / 2} class="spark-none" /></svg>;
  const last = Math.max(sweep.runs - 1, points[points.length - 1][0], 1);
  // The first run of a sweep is often far off: the middle of what came gives the scale.
  const values = points.map(([, value]) => value);
  const end = values[values.length - 1];
  const begin = values[Math.min(values.length - 1, values.length > 4 ? 1 : 0)];
  const span = Math.abs(begin - end) || 1;
  const y = (value: number) => 4 + (height - 8) * Math.min(1, Math.abs(value - end) / span);
  const rising = sweep.goal === "Maximize";
  const place = (value: number) => (rising ? y(value) : height - y(value));
  const x = (run: number) => 3 + ((width - 8) * run) / last;
  let path = `M${x(points[0][0])} ${place(values[0]).toFixed(1)}`;
  for (let i = 1; i < points.length; ++i) path += `H${x(points[i][0]).toFixed(1)}V${place(values[i]).toFixed(1)}`;
  path += `H${width - 4}`;
  const [bestRun] = points[points.length - 1];
  return (
    <svg class="spark" width={width} height={height} viewBox={`0 0 ${width} ${height}`} role="img" aria-label={`Best so far ${number(end)}, found by run ${bestRun}`}>
      <path d={path} />
      <circle cx={x(bestRun)} cy={place(end)} r="2.6" />
    </svg>
  );
}

const PARTS = ["completed", "stopped", "failed", "canceled", "live"] as const;

/** How the runs ended, as parts of all there will be. */
export function Progress({ sweep }: { sweep: Sweep }) {
  const total = Math.max(1, sweep.max_total_runs ?? sweep.runs, sweep.runs);
  const counts = { ...sweep, canceled: sweep.canceled - sweep.stopped };
  const words = PARTS.filter((part) => counts[part]).map((part) => `${counts[part]} ${part === "live" ? "running" : part === "stopped" ? "stopped early" : part}`);
  return (
    <div class="progress" role="img" aria-label={`${sweep.runs} of ${total} runs: ${words.join(", ")}`} title={words.join(", ")}>
      {PARTS.map((part) => counts[part] > 0 && <i key={part} class={`part-${part}`} style={{ width: `${(100 * counts[part]) / total}%` }} />)}
    </div>
  );
}
