// SPDX-License-Identifier: Apache-2.0
// The metric over two parameters as a surface with its lines of equal height, as far as runs are there to tell.
import { useState } from "preact/hooks";
import { NONE } from "../data/ranks";
import type { SweepStore } from "../data/sweep_store";
import { Choice } from "../components/controls";
import { Chart } from "./chart";
import { useCloud } from "./cloud";
import { field, isoline } from "./field";
import type { Frame } from "./axes";
import type { Painter } from "./painter";
import type { Theme } from "./theme";
import { scatterTable } from "./scatter";

const COLUMNS = 56, ROWS = 40;
const LEVELS = [8, 16, 24, 32, 40, 48, 54, 59];

export function Contour({ store, class: className }: { store: SweepStore; class?: string }) {
  const { runs } = store;
  const keys = runs.parameters.map((column) => column.key);
  const numeric = runs.parameters.filter((column) => !column.categories).map((column) => column.key);
  const [x, setX] = useState(numeric[0] ?? keys[0] ?? "number");
  const [y, setY] = useState(numeric[1] ?? keys[1] ?? "number");
  const options = keys.map((key): [string, string] => [key, runs.column(key)!.label]);
  const log = (key: string) => runs.column(key)?.log ?? false;
  const under = (p: Painter, frame: Frame, theme: Theme) => {
    const { rows } = runs;
    const mask = store.selection.mask.value;
    const shades = store.shades("best");
    const px = new Float32Array(rows), py = new Float32Array(rows), value = new Float32Array(rows);
    const [a, b] = [runs.data(x), runs.data(y)];
    for (let i = 0; i < rows; ++i) {
      px[i] = (frame.x.map(a[i]) - frame.left) / frame.width;
      py[i] = 1 - (frame.y.map(b[i]) - frame.top) / frame.height;
      value[i] = mask.bits[i] && shades[i] !== NONE ? shades[i] : NaN;
    }
    const surface = field(px, py, value, rows, COLUMNS, ROWS, rows > 1000 ? 1.6 : rows > 100 ? 2.6 : 4);
    const w = frame.width / COLUMNS, h = frame.height / ROWS;
    for (let j = 0; j < ROWS; ++j)
      for (let i = 0; i < COLUMNS; ++i) {
        const v = surface.value[j * COLUMNS + i];
        if (Number.isNaN(v)) continue;
        // Whole pixels, so that no seams are seen between cells.
        const x0 = Math.round(frame.left + i * w), x1 = Math.round(frame.left + (i + 1) * w);
        const y0 = Math.round(frame.top + frame.height - (j + 1) * h), y1 = Math.round(frame.top + frame.height - j * h);
        p.rect(x0, y0, x1 - x0, y1 - y0, { fill: theme.shades[Math.round(Math.min(63, Math.max(0, v)))], alpha: 0.62 });
      }
    // One stroke for all lines: segments apart from each other.
    const lx: number[] = [], ly: number[] = [];
    for (const level of LEVELS)
      for (const [x0, y0, x1, y1] of isoline(surface, level)) {
        lx.push(frame.left + (x0 + 0.5) * w, frame.left + (x1 + 0.5) * w, NaN);
        ly.push(frame.top + frame.height - (y0 + 0.5) * h, frame.top + frame.height - (y1 + 0.5) * h, NaN);
      }
    p.line(lx, ly, 0, lx.length, { color: theme.surface, width: 1, alpha: 0.75 });
  };
  const { drawing, pointer } = useCloud({ store, xKey: x, yKey: y, colorKey: "best", xLog: log(x), yLog: log(y), brush: "both", under, points: runs.rows <= 1500 });
  return (
    <Chart title="Contour" about={`How good runs are around each pair of ${runs.column(x)?.label} and ${runs.column(y)?.label}.`} class={className} height={340} drawing={drawing} pointer={pointer}
           table={() => scatterTable(store, [x, y, "best"])} file={`${store.id}-contour`} state={runs.bestRow() < 0 ? { empty: "No run has reported a value yet." } : keys.length < 2 ? { empty: "A contour needs two parameters." } : "ready"}
           controls={<><Choice label="Horizontal" value={x} options={options} onChange={setX} /><Choice label="Vertical" value={y} options={options} onChange={setY} /></>}
           legend={<span class="ramp-key">worse<i class="ramp" />better</span>} />
  );
}
