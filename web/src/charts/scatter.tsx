// SPDX-License-Identifier: Apache-2.0
// Two columns against each other, or three in space, in the colour of a fourth.
import { useMemo, useRef, useState } from "preact/hooks";
import type { SweepStore } from "../data/sweep_store";
import { Choice, Toggle } from "../components/controls";
import { Chart, type Table } from "./chart";
import { kindOf, useCloud } from "./cloud";
import { Plot, type Exports } from "./plot";
import { useSpace } from "./space";

export function optionsOf(store: SweepStore): [string, string][] {
  const { runs } = store;
  const metrics = runs.metrics.filter((column) => column.key.endsWith(":last") && column.key !== `m:${runs.metric}:last`);
  return ["best", ...runs.parameters.map((c) => c.key), ...metrics.map((c) => c.key), "took", "reports", "number"]
    .filter((key) => runs.column(key)).map((key) => [key, runs.column(key)!.label]);
}

export function scatterTable(store: SweepStore, keys: string[]): Table {
  const { runs } = store;
  const columns = [...new Set(keys)].map((key) => runs.column(key)!).filter(Boolean);
  const { bits } = store.selection.mask.value;
  const rows = [];
  for (let i = 0; i < runs.rows; ++i)
    if (bits[i]) rows.push([runs.number(i), ...columns.map((c) => (c.categories ? c.categories[c.data[i]] ?? null : c.data[i]))]);
  return { columns: ["run", ...columns.map((c) => c.label)], rows };
}

export function Scatter({ store, class: className }: { store: SweepStore; class?: string }) {
  const { runs } = store;
  const names = runs.parameters.map((column) => column.key);
  const [x, setX] = useState(names[0] ?? "number");
  const [y, setY] = useState(names[1] ?? "best");
  const [z, setZ] = useState("best");
  const [color, setColor] = useState("best");
  const [space, setSpace] = useState(false);
  const options = optionsOf(store);
  const log = (key: string) => runs.column(key)?.log ?? false;
  const flat = useCloud({ store, xKey: x, yKey: y, colorKey: color, xLog: log(x), yLog: log(y), brush: "both" });
  const deep = useSpace({ store, keys: [x, y, z], colorKey: color });
  // Another surface for another kind of drawing: a plot keeps its effects.
  const chosen = space ? deep : flat;
  return (
    <Chart key={space ? "3" : "2"} title="Scatter" class={className} height={340} drawing={chosen.drawing} pointer={chosen.pointer} table={() => scatterTable(store, [x, y, ...(space ? [z] : []), color])}
           about={`${runs.column(x)?.label} against ${runs.column(y)?.label}${space ? ` and ${runs.column(z)?.label}; drag to turn` : "; drag a box to filter"}, coloured by ${runs.column(color)?.label}.`}
           file={`${store.id}-scatter`} state={runs.rows ? "ready" : { empty: "No run has been drawn yet." }}
           controls={<>
             <Choice label="Horizontal" value={x} options={options} onChange={setX} />
             <Choice label="Vertical" value={y} options={options} onChange={setY} />
             {space && <Choice label="Depth" value={z} options={options} onChange={setZ} />}
             <Toggle text="3-D" on={space} onChange={setSpace} />
             <Choice label="Colour" value={color} options={options.map(([key, text]) => [key, `in ${text}`])} onChange={setColor} />
           </>}
           legend={<><span class="ramp-key">{color === "best" ? "worse" : "low"}<i class="ramp" />{color === "best" ? "better" : "high"}</span>
             <span class="hint">{space ? "drag to turn" : "drag a box to filter"}</span></>} />
  );
}

/** One small plot for each parameter, with the metric upwards. */
export function Slices({ store, class: className }: { store: SweepStore; class?: string }) {
  const { runs } = store;
  const keys = runs.parameters.map((column) => column.key);
  const [log, setLog] = useState(false);
  const parts = useRef(new Map<string, Part>()).current;
  const exports = useRef<Exports>({ svg: () => sideBySideSvg(keys.map((key) => [runs.column(key)!.label, parts.get(key)!.current!.svg()])),
                                    canvas: () => sideBySide(keys.map((key) => parts.get(key)!.current!.canvas())) });
  return (
    <Chart title="Slices" exports={exports} about={`${runs.metric} over each parameter.`} class={className} height={300} file={`${store.id}-slices`} table={() => scatterTable(store, [...keys, "best"])}
           state={runs.bestRow() < 0 ? { empty: "No run has reported a value yet." } : "ready"} controls={<Toggle text="log" on={log} onChange={setLog} />}>
      <div class="slices">
        {keys.map((key) => <Slice key={key} store={store} xKey={key} yLog={log} parts={parts} />)}
      </div>
    </Chart>
  );
}

type Part = { current: Exports | null };

/** The small plots beneath each other in one drawing. */
function sideBySideSvg(parts: [string, string][]): string {
  let y = 0, width = 0, inner = "";
  for (const [label, svg] of parts) {
    const [, w, h] = /width="([\d.]+)" height="([\d.]+)"/.exec(svg)!;
    const name = label.replace(/[&<>]/g, (c) => `&#${c.charCodeAt(0)};`);
    inner += `<text x="8" y="${y + 16}" font-size="12" font-family="sans-serif" fill="#808080">${name}</text>` + svg.replace("<svg ", `<svg y="${y + 20}" `);
    y += Number(h) + 24;
    width = Math.max(width, Number(w));
  }
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${y}">${inner}</svg>`;
}

function sideBySide(parts: HTMLCanvasElement[]): HTMLCanvasElement {
  const canvas = document.createElement("canvas");
  canvas.width = Math.max(1, ...parts.map((part) => part.width));
  canvas.height = parts.reduce((sum, part) => sum + part.height, 0);
  let y = 0;
  for (const part of parts) {
    canvas.getContext("2d")!.drawImage(part, 0, y);
    y += part.height;
  }
  return canvas;
}

function Slice({ store, xKey, yLog, parts }: { store: SweepStore; xKey: string; yLog: boolean; parts: Map<string, Part> }) {
  const exports = useRef<Exports>(null);
  parts.set(xKey, exports);
  const column = store.runs.column(xKey)!;
  const { drawing, pointer } = useCloud({ store, xKey, yKey: "best", colorKey: "best", xLog: column.log, yLog, brush: "x", compact: true });
  const kind = useMemo(() => kindOf(column, column.log), [column]);
  const label = useRef(`${store.runs.metric} over ${column.label}`).current;
  return (
    <figure class="slice">
      <figcaption>{column.label}{kind === "log" && <small> log</small>}</figcaption>
      <Plot label={label} height={150} drawing={drawing} pointer={pointer} exports={exports} />
    </figure>
  );
}
