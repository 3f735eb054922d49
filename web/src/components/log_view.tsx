// SPDX-License-Identifier: Apache-2.0
// A log as text and nothing else: numbered lines of which only those on the screen exist, search, and the end followed while it grows.
import { elementScroll, observeElementOffset, observeElementRect, Virtualizer } from "@tanstack/virtual-core";
import type { ComponentChildren } from "preact";
import { useEffect, useMemo, useReducer, useRef, useState } from "preact/hooks";
import { count } from "../data/format";
import { Search, Toggle } from "./controls";
import { Menu } from "./menu";
import { saveBlob } from "./save";

const LINE = 19;

/** Control characters as a terminal would not obey them here either: the colours are left out, a returned line shows its last state. */
export function plainLines(text: string): string[] {
  return text
    .replace(/\x1b\[[0-9;?]*[ -/]*[@-~]|\x1b\][^\x07\x1b]*(?:\x07|\x1b\\)/g, "")
    .replace(/\n$/, "")
    .split("\n")
    .map((line) => {
      const shown = line.replace(/\r$/, "");
      const at = shown.lastIndexOf("\r");
      return (at < 0 ? shown : shown.slice(at + 1)).replace(/[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b\u202a-\u202e\u2066-\u2069]/g,
        (c) => `\\x${c.charCodeAt(0).toString(16).padStart(2, "0")}`);
    });
}

export function LogView({ text, file, title, controls, empty = "Nothing was written." }: {
  text: string; file: string; title: string; controls?: ComponentChildren; empty?: string;
}) {
  const lines = useMemo(() => (text ? plainLines(text) : []), [text]);
  const [query, setQuery] = useState("");
  const [follow, setFollow] = useState(true);
  const [, redraw] = useReducer((n: number) => n + 1, 0);
  const scroller = useRef<HTMLDivElement>(null);
  const virtual = useRef<Virtualizer<HTMLDivElement, Element>>(null);
  const shown = useMemo(() => {
    const word = query.toLowerCase();
    const all = lines.map((line, i) => [i, line] as const);
    return word ? all.filter(([, line]) => line.toLowerCase().includes(word)) : all;
  }, [lines, query]);
  useEffect(() => {
    const made = new Virtualizer<HTMLDivElement, Element>({
      count: shown.length, getScrollElement: () => scroller.current, estimateSize: () => LINE, overscan: 20,
      observeElementRect, observeElementOffset, scrollToFn: elementScroll, onChange: () => redraw(0),
    });
    virtual.current = made;
    const unmount = made._didMount();
    made._willUpdate();
    return unmount;
  }, []);
  useEffect(() => {
    const v = virtual.current!;
    v.setOptions({ ...v.options, count: shown.length });
    redraw(0);
    if (follow && scroller.current) requestAnimationFrame(() => scroller.current && (scroller.current.scrollTop = shown.length * LINE));
  }, [shown, follow]);
  const widest = useMemo(() => shown.reduce((most, [, line]) => Math.max(most, line.length), 0), [shown]);
  const mark = (line: string) => {
    if (!query) return line || " ";
    const at = line.toLowerCase().indexOf(query.toLowerCase());
    return at < 0 ? line : <>{line.slice(0, at)}<mark>{line.slice(at, at + query.length)}</mark>{line.slice(at + query.length)}</>;
  };
  return (
    <>
      <header class="chart-head">
        <h2>{title} <span class="quiet">{query ? `${count(shown.length)} of ${count(lines.length)}` : count(lines.length)} {lines.length === 1 ? "line" : "lines"}</span></h2>
        <div class="chart-controls">
          {controls}
          <Toggle text="follow" title="Keep the end in sight" on={follow} onChange={setFollow} />
          <Search label="search" value={query} onInput={setQuery} />
          <Menu label="Export the log" icon="more" items={[{ text: "Save as text", run: () => saveBlob(new Blob([text], { type: "text/plain" }), file) }]} />
        </div>
      </header>
      <div class={`log ${lines.length ? "" : "log-empty"}`} ref={scroller} tabIndex={0} role="log" aria-label={title} aria-live="off"
             onWheel={(event) => { if (event.deltaY < 0) setFollow(false); }}>
          {!lines.length && <p class="chart-message">{empty}</p>}
          <div style={{ height: `${shown.length * LINE}px`, minWidth: `calc(${widest}ch + 72px)` }}>
            {(virtual.current?.getVirtualItems() ?? []).map((item) => shown[item.index] && (
              <div key={item.key} class="log-line" style={{ transform: `translateY(${item.start}px)` }}>
                <span aria-hidden="true">{shown[item.index][0] + 1}</span><code>{mark(shown[item.index][1])}</code>
              </div>
            ))}
          </div>
      </div>
    </>
  );
}
