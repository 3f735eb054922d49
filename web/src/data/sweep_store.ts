// SPDX-License-Identifier: Apache-2.0
// One sweep as its page holds it: what is told of it, all runs as columns, curves of the metrics that are looked at. Events say what
// changed; several within a moment are fetched once.
import { signal, type Signal } from "@preact/signals";
import type { Note, SweepDetail } from "../api/types";
import { merge, unpack, type Curves } from "./curves";
import { order, shades } from "./ranks";
import { RunTable } from "./runs";
import { Selection } from "./selection";
import type { Source } from "./source";

const MOST_CURVES = 600;
const POINTS = 80;
// More changed runs than the server gives series of at once are fetched as curves again, and that not at every report.
const MOST_SERIES = 64;
const CURVES_PAUSE_MS = 3000;

export interface CurveState {
  curves: Curves | null;
  error: string;
}

export class SweepStore {
  readonly detail = signal<SweepDetail | null>(null);
  readonly error = signal("");
  readonly loading = signal(true);
  readonly connected = signal(true);
  readonly gone = signal(false);
  /** The server has ended; what is here is the last there was. */
  readonly over = signal(false);
  readonly notes = signal<Note[]>([]);
  runs: RunTable;
  selection: Selection;
  private readonly derived = new Map<string, { version: number; value: unknown }>();
  private readonly curveStates = new Map<string, Signal<CurveState>>();
  private readonly curvesFetched = new Map<string, number>();
  private stopListening = () => {};
  private busy = false;
  private again = false;
  private changed: Set<number> | null = new Set();
  private ended = false;

  constructor(readonly source: Source, readonly id: string) {
    this.runs = new RunTable("", "Minimize");
    this.selection = new Selection(this.runs);
  }

  async open(): Promise<void> {
    try {
      const detail = await this.source.sweep(this.id);
      this.runs = new RunTable(detail.metric, detail.goal, detail.space);
      this.selection = new Selection(this.runs);
      this.runs.apply(await this.source.columns(this.id));
      this.detail.value = detail;
      this.notes.value = detail.notes;
      this.loading.value = false;
    } catch (error) {
      this.error.value = (error as Error).message;
      this.loading.value = false;
      return;
    }
    if (this.ended) return;
    this.stopListening = this.source.listen(this.id, {
      sweep: (sweep) => {
        if (sweep.id !== this.id || !this.detail.value) return;
        this.detail.value = { ...this.detail.value, ...sweep };
      },
      gone: (id) => {
        if (id === this.id) this.gone.value = true;
      },
      runs: (change) => {
        if (change.runs === null) this.changed = null;
        else for (const run of change.runs) this.changed?.add(run);
        void this.refresh();
      },
      end: () => (this.over.value = true),
      note: (note) => (this.notes.value = [note, ...this.notes.value]),
      connection: (connected) => {
        // Whatever happened while nobody listened is told by the columns' version.
        if (connected && !this.connected.value) void this.refresh();
        this.connected.value = connected;
      },
    });
  }

  close(): void {
    this.ended = true;
    this.stopListening();
  }

  /** What else the server tells of the sweep: after an action, an edit, an end. */
  async reload(): Promise<void> {
    if (this.over.value) return;
    try {
      const detail = await this.source.sweep(this.id);
      this.notes.value = detail.notes;
      this.detail.value = detail;
    } catch (error) {
      this.error.value = (error as Error).message;
    }
  }

  private async refresh(): Promise<void> {
    if (this.over.value) return;
    if (this.busy) {
      this.again = true;
      return;
    }
    this.busy = true;
    try {
      do {
        this.again = false;
        const changed = this.changed;
        this.changed = new Set();
        const [columns] = await Promise.all([this.source.columns(this.id, this.runs.wireVersion), this.refreshCurves(changed)]);
        if (this.ended) return;
        this.runs.apply(columns);
      } while (this.again);
    } catch {
      // The next event, or the next connection, brings it.
    } finally {
      this.busy = false;
    }
  }

  private async refreshCurves(changed: Set<number> | null): Promise<void> {
    for (const [metric, state] of this.curveStates) {
      const { curves } = state.value;
      if (!curves) continue;
      if (changed && changed.size <= MOST_SERIES) {
        if (!changed.size) continue;
        const series = await this.source.series(this.id, metric, [...changed], POINTS);
        state.value = { curves: merge(state.value.curves ?? curves, series), error: "" };
      } else if (Date.now() - (this.curvesFetched.get(metric) ?? 0) > CURVES_PAUSE_MS) {
        await this.fetchCurves(metric, state);
      }
    }
  }

  private async fetchCurves(metric: string, state: Signal<CurveState>): Promise<void> {
    this.curvesFetched.set(metric, Date.now());
    try {
      state.value = { curves: unpack(await this.source.curves(this.id, metric, POINTS, MOST_CURVES)), error: "" };
    } catch (error) {
      state.value = { curves: null, error: (error as Error).message };
    }
  }

  /** Each row's shade by a column; made anew where the data changed. */
  shades(key: string): Uint8Array {
    return this.once(`shades ${key}`, () => shades(this.runs, key));
  }

  /** The rows by a column, those without a value left out. */
  order(key: string): Uint32Array {
    return this.once(`order ${key}`, () => order(this.runs.data(key), this.runs.rows));
  }

  /** What follows from the data alone is reckoned once for each state of them: sorting 10^5 runs takes longer than a frame. */
  once<T>(name: string, make: () => T): T {
    const version = this.runs.version.value;
    const known = this.derived.get(name);
    if (known?.version === version) return known.value as T;
    const value = make();
    this.derived.set(name, { version, value });
    return value;
  }

  /** The curves of a metric; asked for at the first look. */
  curves(metric: string): Signal<CurveState> {
    let state = this.curveStates.get(metric);
    if (!state) {
      state = signal<CurveState>({ curves: null, error: "" });
      this.curveStates.set(metric, state);
      void this.fetchCurves(metric, state);
    }
    return state;
  }
}
