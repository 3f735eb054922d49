// SPDX-License-Identifier: Apache-2.0
// All runs of a sweep as columns of numbers: what charts, brushes and the table work on. Text is an index into `categories`, what is
// not there is NaN, so that one loop serves every column.
import { signal } from "@preact/signals";
import type { WireColumn, WireColumns } from "../api/binary";
import type { Goal, Json, Parameter } from "../api/types";

export type Kind = "number" | "category" | "time" | "duration" | "bytes" | "integer";

export interface Column {
  key: string;
  label: string;
  role: "field" | "parameter" | "metric";
  kind: Kind;
  log: boolean;
  data: Float64Array;
  categories: string[] | null;
}

export const STATUS = ["Queued", "Running", "Completed", "Failed", "Canceled", "Stopped"];
export const QUEUED = 0, RUNNING = 1, COMPLETED = 2, FAILED = 3, CANCELED = 4, STOPPED = 5;
export const ENDED_BY = ["", "exited", "signaled", "not started", "policy", "user", "interrupt", "time limit", "budget", "sweep ended", "lost", "silent"];
const BY_POLICY = 4;

const FIELDS: Record<string, [string, Kind]> = {
  number: ["run", "integer"],
  status: ["status", "category"],
  ended_by: ["ended by", "category"],
  attempt: ["attempt", "integer"],
  created: ["created", "time"],
  started: ["started", "time"],
  ended: ["ended", "time"],
  best: ["best", "number"],
  last: ["last", "number"],
  reports: ["reports", "integer"],
  slot: ["slot", "integer"],
  peak_memory: ["memory", "bytes"],
  cpu: ["processor time", "duration"],
};

export function categoryText(value: Json): string {
  return typeof value === "string" ? value : JSON.stringify(value);
}

function keyOf(column: WireColumn): string {
  if (column.role === "field") return column.name;
  return column.role === "parameter" ? `p:${column.name}` : `m:${column.name}:${column.stat}`;
}

/** Into `result`, for each row that has ended: how long all rows together had been under way by its end. */
export function spent(started: Float64Array, ended: Float64Array, rows: number, result: Float64Array): void {
  // At a moment t that is the sum over all begun before of min(t, end) - begin: counts and sums over two orders.
  const begun: number[] = [], over: number[] = [];
  for (let row = 0; row < rows; ++row) {
    if (Number.isNaN(started[row])) continue;
    begun.push(row);
    if (!Number.isNaN(ended[row])) over.push(row);
  }
  begun.sort((a, b) => started[a] - started[b]);
  over.sort((a, b) => ended[a] - ended[b]);
  const origin = begun.length ? started[begun[0]] : 0; // sums of moments since 1970 would lose the seconds
  let next = 0, live = 0, sum = 0, done = 0;
  for (const row of over) {
    const at = ended[row] - origin;
    for (; next < begun.length && started[begun[next]] - origin <= at; ++next) {
      ++live;
      sum += started[begun[next]] - origin;
    }
    result[row] = done + live * at - sum;
    --live;
    sum -= started[row] - origin;
    done += ended[row] - started[row];
  }
}

export class RunTable {
  rows = 0;
  wireVersion: string | undefined;
  /** Counts up with every change of the data. */
  readonly version = signal(0);
  readonly columns = new Map<string, Column>();
  private readonly rowOf = new Map<number, number>();
  private capacity = 0;

  constructor(public metric: string, public goal: Goal, private space: Parameter[] = []) {}

  column(key: string): Column | undefined {
    if (key === "compute") this.reckonCompute();
    return this.columns.get(key);
  }

  data(key: string): Float64Array {
    if (key === "compute") this.reckonCompute();
    return this.columns.get(key)?.data ?? new Float64Array(this.capacity).fill(NaN);
  }

  row(number: number): number {
    return this.rowOf.get(number) ?? -1;
  }

  number(row: number): number {
    return this.data("number")[row];
  }

  /** Parameters in the order of the space, then those it does not name. */
  get parameters(): Column[] {
    const all = [...this.columns.values()].filter((column) => column.role === "parameter");
    const place = new Map(this.space.map((parameter, index) => [`p:${parameter.name}`, index]));
    return all.sort((a, b) => (place.get(a.key) ?? 1e9) - (place.get(b.key) ?? 1e9));
  }

  get metrics(): Column[] {
    return [...this.columns.values()].filter((column) => column.role === "metric");
  }

  better(a: number, b: number): boolean {
    return this.goal === "Minimize" ? a < b : a > b;
  }

  /** The row of the best run, -1 where none has a value. */
  private bestKnown = { version: -1, row: -1 };

  /** Every chart asks at every drawing; looked for once for each state of the data. */
  bestRow(): number {
    const version = this.version.peek();
    if (this.bestKnown.version === version) return this.bestKnown.row;
    const best = this.data("best");
    let row = -1;
    for (let i = 0; i < this.rows; ++i) if (!Number.isNaN(best[i]) && (row < 0 || this.better(best[i], best[row]))) row = i;
    this.bestKnown = { version, row };
    return row;
  }

  apply(wire: WireColumns): void {
    if (wire.replaced || this.wireVersion === undefined) this.clear();
    const numbers = wire.columns.find((column) => column.name === "number" && column.role === "field");
    if (!numbers) throw new Error("The server's columns have no run numbers");
    const rows = new Int32Array(wire.rows);
    for (let i = 0; i < wire.rows; ++i) {
      const number = numbers.data[i];
      let row = this.rowOf.get(number);
      if (row === undefined) {
        row = this.rows++;
        this.rowOf.set(number, row);
      }
      rows[i] = row;
    }
    this.reserve(this.rows);
    for (const column of wire.columns) this.fill(column, rows);
    this.derive(rows);
    this.wireVersion = wire.version;
    this.version.value++;
  }

  private computeOf = -1;

  /** What all runs together had trained, in seconds, when each ended; NaN of one that has not. Reckoned when it is asked for. */
  private reckonCompute(): void {
    if (this.computeOf === this.version.peek() && this.columns.has("compute")) return;
    this.computeOf = this.version.peek();
    const column = this.columns.get("compute") ?? this.make("compute", "compute: time trained by all runs so far", "field", "duration");
    column.data.fill(NaN);
    spent(this.data("started"), this.data("ended"), this.rows, column.data);
  }

  private clear(): void {
    this.rows = 0;
    this.rowOf.clear();
    this.columns.clear();
    this.capacity = 0;
  }

  private reserve(rows: number): void {
    if (rows <= this.capacity) return;
    this.capacity = Math.max(64, Math.ceil(rows * (this.capacity ? 1.5 : 1)));
    for (const column of this.columns.values()) {
      const grown = new Float64Array(this.capacity).fill(NaN);
      grown.set(column.data);
      column.data = grown;
    }
  }

  private make(key: string, label: string, role: Column["role"], kind: Kind, log = false): Column {
    const column = { key, label, role, kind, log, data: new Float64Array(this.capacity).fill(NaN),
                     categories: kind === "category" ? [] as string[] : null };
    this.columns.set(key, column);
    return column;
  }

  private fill(wire: WireColumn, rows: Int32Array): void {
    const key = keyOf(wire);
    let column = this.columns.get(key);
    if (!column) {
      const field = wire.role === "field" ? FIELDS[wire.name] : undefined;
      const parameter = wire.role === "parameter" ? this.space.find((p) => p.name === wire.name) : undefined;
      const kind: Kind = field ? field[1] : wire.categories ? "category" : parameter?.integer ? "integer" : "number";
      const label = field ? (wire.name === "best" ? this.metric : field[0])
        : wire.role === "metric" && wire.stat !== "last" ? `${wire.name} ${wire.stat}` : wire.name;
      column = this.make(key, label, wire.role, kind, parameter?.log ?? false);
      if (key === "status") column.categories = STATUS;
      if (key === "ended_by") column.categories = ENDED_BY;
    }
    const { data } = column;
    const source = wire.data;
    if (!wire.categories) {
      const absent = wire.name === "slot" && wire.role === "field" ? -1 : NaN;
      for (let i = 0; i < rows.length; ++i) data[rows[i]] = source[i] === absent ? NaN : source[i];
      return;
    }
    // The server's list of options may grow and change its order; ours only grows.
    const texts = column.categories ?? (column.categories = []);
    const map = wire.categories.map((value) => {
      const text = categoryText(value);
      const known = texts.indexOf(text);
      return known >= 0 ? known : texts.push(text) - 1;
    });
    for (let i = 0; i < rows.length; ++i) data[rows[i]] = source[i] < 0 ? NaN : map[source[i]];
  }

  /** What is not sent because it follows: "Stopped", durations. */
  private derive(rows: Int32Array): void {
    const status = this.data("status"), by = this.data("ended_by"), started = this.data("started"), ended = this.data("ended");
    const took = (this.columns.get("took") ?? this.make("took", "took", "field", "duration")).data;
    for (const row of rows) {
      if (status[row] === CANCELED && by[row] === BY_POLICY) status[row] = STOPPED;
      took[row] = ended[row] - started[row];
    }
  }
}
