// SPDX-License-Identifier: Apache-2.0
// All runs of a sweep as a table, of which only the rows on the screen exist. Sorting keeps one order for a column; brushing only leaves
// rows out of it.
import { effect } from "@preact/signals";
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { cellText } from "../charts/tip";
import { theme } from "../charts/theme";
import { count } from "../data/format";
import { order, NONE } from "../data/ranks";
import { STATUS, type Column } from "../data/runs";
import type { SweepStore } from "../data/sweep_store";
import { go } from "./router";
import { Menu } from "./menu";
import { Search } from "./controls";
import { saveBlob } from "./save";
import { csvCell } from "../data/format";

const ROW = 30;
const FEWEST_TO_COMPARE = 2, MOST_TO_COMPARE = 20;

function sortedRows(store: SweepStore, key: string, descending: boolean): Uint32Array {
  const { runs } = store;
  const column = runs.column(key);
  const data = column?.data ?? runs.data("number");
  // Categories sort by their words, not by the order in which they came.
  const ranks = column?.categories && [...column.categories.keys()].sort((a, b) => column.categories![a].localeCompare(column.categories![b]));
  const keys = ranks ? Float64Array.from(data, (value) => (Number.isNaN(value) ? NaN : ranks.indexOf(value))) : data;
  const sorted = order(keys, runs.rows);
  if (descending) sorted.reverse();
  // Runs without a value come last, whichever way.
  const all = new Uint32Array(runs.rows);
  all.set(sorted);
  let at = sorted.length;
  for (let i = 0; i < runs.rows; ++i) if (Number.isNaN(keys[i])) all[at++] = i;
  return all;
}

function columnsOf(store: SweepStore): Column[] {
  const { runs } = store;
  const names = ["status", "best", "last", "reports", "took"];
  const metrics = runs.metrics.filter((column) => column.key.endsWith(":last") && column.key !== `m:${runs.metric}:last`);
  return [...names.map((key) => runs.column(key)), ...runs.parameters, ...metrics, ...["ended", "peak_memory", "cpu"].map((key) => runs.column(key))]
    .filter((column): column is Column => !!column);
}

function width(column: Column): number {
  if (column.key === "status") return 112;
  if (column.key === "best") return 118;
  if (column.kind === "time") return 104;
  return Math.max(84, Math.min(180, column.label.length * 7.2 + 30));
}

export function RunTable({ store }: { store: SweepStore }) {
  const { runs, selection } = store;
  const [sort, setSort] = useState<{ key: string; descending: boolean }>({ key: "best", descending: runs.goal === "Maximize" });
  const [chosen, setChosen] = useState<ReadonlySet<number>>(new Set());
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const scroller = useRef<HTMLDivElement>(null);
  const shown = useRef(new Uint32Array());
  const virtual = useRef<Virtualizer<HTMLDivElement, Element>>(null);
  const columns = useMemo(() => columnsOf(store), [store, runs.version.value === 0, runs.columns.size]);

  useEffect(() => {
    let sorted: Uint32Array | null = null;
    let version = -1;
    let timer = 0;
    const apply = () => {
      timer = 0;
      if (version !== runs.version.peek() || !sorted) {
        sorted = sortedRows(store, sort.key, sort.descending);
        version = runs.version.peek();
      }
      const { bits } = selection.mask.peek();
      shown.current = sorted.filter((row) => bits[row]);
      update();
      redraw(0);
    };
    const update = () => virtual.current?.setOptions({ ...virtual.current.options, count: shown.current.length });
    const stop = effect(() => {
      runs.version.value;
      selection.mask.value;
      // While a brush moves the charts have the frame; the table follows when the hand rests.
      if (!timer) timer = window.setTimeout(apply, sorted ? 120 : 0);
    });
    return () => {
      stop();
      clearTimeout(timer);
    };
  }, [store, sort]);

  useEffect(() => {
    const made = new Virtualizer<HTMLDivElement, Element>({
      count: shown.current.length, getScrollElement: () => scroller.current, estimateSize: () => ROW, overscan: 8,
      observeElementRect, observeElementOffset, scrollToFn: elementScroll, onChange: () => redraw(0),
    });
    virtual.current = made;
    const unmount = made._didMount();
    made._willUpdate();
    redraw(0);
    return unmount;
  }, []);

  const rows = shown.current;
  const first = runs.rows > 9999 ? 98 : 80;
  const template = `${first}px ${columns.map((column) => `${width(column)}px`).join(" ")}`;
  const full = first + columns.reduce((sum, column) => sum + width(column), 0);
  const shades = store.shades("best");
  const best = runs.bestRow();
  const choose = (run: number) => {
    const next = new Set(chosen);
    if (!next.delete(run) && next.size < MOST_TO_COMPARE) next.add(run);
    setChosen(next);
  };
  const csv = () => {
    const lines = [["run", ...columns.map((column) => column.label)].map(csvCell).join(",")];
    for (const row of rows)
      lines.push([runs.number(row), ...columns.map((column) => {
        const value = column.data[row];
        if (Number.isNaN(value)) return "";
        if (column.categories) return column.categories[value];
        return column.kind === "time" ? new Date(value * 1000).toISOString() : value;
      })].map(csvCell).join(","));
    saveBlob(new Blob([lines.join("\r\n") + "\r\n"], { type: "text/csv" }), `${store.id}-runs.csv`);
  };
  const head = (column: Column | null) => {
    const key = column?.key ?? "number";
    const active = sort.key === key;
    return (
      <div role="columnheader" aria-sort={active ? (sort.descending ? "descending" : "ascending") : "none"} class={column && !column.categories ? "num" : ""}>
        <button type="button" onClick={() => setSort({ key, descending: active ? !sort.descending : key === "best" && runs.goal === "Maximize" })}>
          {column ? column.label : "run"}{active && <span aria-hidden="true">{sort.descending ? " ↓" : " ↑"}</span>}
        </button>
      </div>
    );
  };
  const items = virtual.current?.getVirtualItems() ?? [];
  return (
    <section class="panel runs-panel" aria-label="Runs">
      <header class="chart-head">
        <h2>Runs <span class="quiet">{count(rows.length)}{rows.length !== runs.rows && ` of ${count(runs.rows)}`}</span></h2>
        <div class="chart-controls">
          {chosen.size > 0 && (
            <>
              <button type="button" class="toggle" onClick={() => setChosen(new Set())}>clear</button>
              <button type="button" class="button" disabled={chosen.size < FEWEST_TO_COMPARE} onClick={() => go(`#/sweeps/${store.id}/compare?runs=${[...chosen].join(",")}`)}>
                Compare {chosen.size} {chosen.size === 1 ? "run" : "runs"}
              </button>
            </>
          )}
          <Search label="run or word" value={selection.text.value} onInput={(text) => (selection.text.value = text)} />
          <Menu label="Export runs" icon="more" items={[{ text: "Save these as CSV", run: csv }]} />
        </div>
      </header>
      <div class="grid-scroll" style={{ height: `${Math.min(560, 52 + Math.max(2, rows.length) * ROW)}px` }} ref={scroller} tabIndex={0} role="table" aria-label="Runs" aria-rowcount={rows.length + 1}
           onPointerLeave={() => (selection.hovered.value = -1)}>
        <div class="grid-head" role="row" style={{ gridTemplateColumns: template, minWidth: `${full}px` }}>
          {head(null)}
          {columns.map(head)}
        </div>
        <div role="rowgroup" class="grid-body" style={{ height: `${rows.length * ROW}px`, minWidth: `${full}px` }}>
          {items.map((item) => {
            const row = rows[item.index];
            if (row === undefined) return null;
            const number = runs.number(row);
            const shade = shades[row];
            return (
              <div key={item.key} role="row" aria-rowindex={item.index + 2} class={`grid-row ${row === selection.hovered.value ? "hovered" : ""}`}
                   style={{ gridTemplateColumns: template, transform: `translateY(${item.start}px)` }}
                   onPointerEnter={() => (selection.hovered.value = row)}
                   onClick={(event) => { if (!(event.target as Element).closest("input,a")) go(`#/sweeps/${store.id}/runs/${number}`); }}>
                <div role="cell" class="run-cell">
                  <input type="checkbox" aria-label={`Compare run ${number}`} checked={chosen.has(number)} onChange={() => choose(number)} />
                  <a href={`#/sweeps/${store.id}/runs/${number}`}>{number}</a>
                </div>
                {columns.map((column) => {
                  if (column.key === "status") {
                    const word = STATUS[column.data[row]] ?? "";
                    return <div role="cell"><span class={`status status-${word.toLowerCase()}`}><i aria-hidden="true" />{word}</span></div>;
                  }
                  const chip = column.key === "best" && shade !== NONE;
                  return (
                    <div role="cell" class={`${column.categories ? "" : "num"} ${column.key === "best" && row === best ? "incumbent" : ""}`}>
                      {chip && <i class="chip" aria-hidden="true" style={{ background: row === best ? theme.value.best : theme.value.shades[shade] }} />}
                      {cellText(column, row)}
                    </div>
                  );
                })}
              </div>
            );
          })}
        </div>
        {!rows.length && <p class="chart-message">{runs.rows ? "No run is within what is brushed." : "No run has been drawn yet."}</p>}
      </div>
    </section>
  );
}

