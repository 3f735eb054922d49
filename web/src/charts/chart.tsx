// SPDX-License-Identifier: Apache-2.0
// The frame every chart stands in: title, its own controls, export as PNG, SVG and CSV, its table as text, and what it says while it has
// nothing to draw.
import type { ComponentChildren } from "preact";
import { useRef, useState } from "preact/hooks";
import { csvCell, number } from "../data/format";
import { Menu } from "../components/menu";
import { saveBlob } from "../components/save";
import { Plot, type Drawing, type Exports, type PointerHandlers } from "./plot";

export interface Table {
  columns: string[];
  rows: (string | number | null)[][];
}

export type ChartState = "ready" | { loading: string } | { empty: string } | { error: string };

interface Props {
  title: string;
  /** A sentence on what is seen; also the text alternative's beginning. */
  about: string;
  class?: string;
  height: number;
  state?: ChartState;
  controls?: ComponentChildren;
  legend?: ComponentChildren;
  table?: () => Table;
  drawing?: Drawing;
  pointer?: PointerHandlers;
  /** Instead of a drawing, for charts with canvases of their own. */
  children?: ComponentChildren;
  exports?: { current: Exports | null };
  file: string;
}

const MOST_ROWS = 200;

function TableView({ table }: { table: Table }) {
  const shown = table.rows.slice(0, MOST_ROWS);
  return (
    <div class="chart-table" tabIndex={0} role="region" aria-label="The chart's values">
      <table>
        <thead><tr>{table.columns.map((name) => <th scope="col">{name}</th>)}</tr></thead>
        <tbody>
          {shown.map((row) => (
            <tr>{row.map((cell) => <td class={typeof cell === "number" ? "num" : ""}>{typeof cell === "number" ? number(cell, 6) : cell ?? "–"}</td>)}</tr>
          ))}
        </tbody>
      </table>
      {table.rows.length > MOST_ROWS && <p class="hint">The first {MOST_ROWS} of {table.rows.length} rows; CSV has all of them.</p>}
    </div>
  );
}

export function Chart(props: Props) {
  const own = useRef<Exports>(null);
  const exports = props.exports ?? own;
  const [asTable, setAsTable] = useState(false);
  const state = props.state ?? "ready";
  const ready = state === "ready";
  const csv = () => {
    const table = props.table!();
    const lines = [table.columns, ...table.rows].map((row) => row.map(csvCell).join(","));
    saveBlob(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv" }), `${props.file}.csv`);
  };
  return (
    <section class={`panel chart ${props.class ?? ""}`} aria-label={props.title}>
      <header class="chart-head">
        <h2 title={props.about}>{props.title}</h2>
        <div class="chart-controls">
          {(ready || "loading" in state) && !asTable && props.controls}
          {ready && (
            <Menu label={`Export ${props.title}`} icon="more" items={[
              { text: asTable ? "Show the chart" : "Show as table", run: () => setAsTable(!asTable), hidden: !props.table },
              { text: "Save as PNG", run: () => exports.current?.canvas().toBlob((blob) => blob && saveBlob(blob, `${props.file}.png`)), hidden: asTable },
              { text: "Save as SVG", hidden: asTable,
                run: () => exports.current && saveBlob(new Blob([exports.current.svg()], { type: "image/svg+xml" }), `${props.file}.svg`) },
              { text: "Save as CSV", run: csv, hidden: !props.table },
            ]} />
          )}
        </div>
      </header>
      {!ready ? <ChartMessage state={state} height={props.height} />
        : asTable && props.table ? <TableView table={props.table()} />
        : props.children ?? <Plot label={`${props.title}. ${props.about}`} height={props.height} drawing={props.drawing!} pointer={props.pointer} exports={exports} />}
      {ready && !asTable && props.legend && <div class="legend">{props.legend}</div>}
    </section>
  );
}

function ChartMessage({ state, height }: { state: Exclude<ChartState, "ready">; height: number }) {
  const style = { minHeight: `${Math.min(height, 220)}px` };
  if ("loading" in state) return <div class="chart-message" style={style} aria-busy="true"><span class="shimmer" />{state.loading}</div>;
  if ("error" in state) return <div class="chart-message error" style={style} role="alert">{state.error}</div>;
  return <div class="chart-message" style={style}>{state.empty}</div>;
}
