// SPDX-License-Identifier: Apache-2.0
// Where the page's data come from: a server that is asked as time goes on, or a report's own data. Pages and charts know this alone.
import { api, ApiError } from "../api/client";
import { decodeColumns, decodeCurves, type WireColumns, type WireCurves } from "../api/binary";
import { listen, type Handlers } from "../api/events";
import type { About, Decision, FileEntry, LogPart, ModelView, Run, Series, Sweep, SweepDetail, Thresholds } from "../api/types";

export interface Source {
  /** Whether there is a server: events, actions, logs and files. */
  readonly live: boolean;
  about(): Promise<About>;
  sweeps(): Promise<{ sweeps: Sweep[]; problems: { directory: string; message: string }[] }>;
  sweep(id: string): Promise<SweepDetail>;
  columns(id: string, since?: string): Promise<WireColumns>;
  curves(id: string, metric: string, points: number, most: number): Promise<WireCurves>;
  series(id: string, metric: string, runs: number[], points: number): Promise<Series[]>;
  decisions(id: string, before?: number): Promise<{ decisions: Decision[]; more: boolean }>;
  controllerLog(id: string, from: number): Promise<{ text: string; next: number; end: boolean }>;
  importance(id: string): Promise<{ name: string; share: number }[]>;
  model(id: string): Promise<ModelView>;
  run(id: string, run: number): Promise<Run>;
  thresholds(id: string, run: number): Promise<Thresholds>;
  log(id: string, run: number, stream: "stdout" | "stderr", from: number, limit: number, tail?: boolean): Promise<LogPart>;
  files(id: string, run: number): Promise<{ files: FileEntry[]; more: boolean }>;
  /** Listens to one sweep, or to the list, until the returned function is called. */
  listen(sweep: string | undefined, handlers: Handlers): () => void;
}

export class HttpSource implements Source {
  readonly live = true;
  about = api.about;
  sweeps = api.sweeps;
  sweep = api.sweep;
  columns = api.columns;
  curves = api.curves;
  decisions = api.decisions;
  controllerLog = api.controllerLog;
  model = api.model;
  run = api.run;
  thresholds = api.thresholds;
  log = api.log;
  files = api.files;
  series = async (id: string, metric: string, runs: number[], points: number) => (await api.series(id, metric, runs, points)).series;
  importance = async (id: string) => (await api.importance(id)).parameters;
  listen = (sweep: string | undefined, handlers: Handlers) => listen(api.eventsAddress(sweep), handlers);
}

/** What a report's file carries, as JSON; what is binary is base64. */
export interface Embedded {
  about: About;
  sweep: SweepDetail;
  columns: string;
  curves: Record<string, string>;
  decisions: Decision[];
  importance: { name: string; share: number }[] | string;
  model: ModelView;
  log: string;
  runs: Record<string, Run>;
  thresholds: Record<string, Thresholds>;
}

function fromBase64(text: string): ArrayBuffer {
  const binary = atob(text);
  const bytes = new Uint8Array(binary.length);
  for (let i = 0; i < binary.length; ++i) bytes[i] = binary.charCodeAt(i);
  return bytes.buffer;
}

export class EmbeddedSource implements Source {
  readonly live = false;

  constructor(private readonly data: Embedded) {}

  /** The report's data in this document, if it is a report. */
  static find(document: Document): EmbeddedSource | null {
    const text = document.getElementById("hdrive-report")?.textContent;
    return text ? new EmbeddedSource(JSON.parse(text)) : null;
  }

  private absent(what: string): never {
    throw new ApiError(404, `A report has no ${what}; look at the sweep itself with \`hdrive ui ${this.data.sweep.short_id}\`.`);
  }

  async about() { return this.data.about; }
  async sweeps() { return { sweeps: [this.data.sweep], problems: [] }; }
  async sweep() { return this.data.sweep; }
  async columns() { return decodeColumns(fromBase64(this.data.columns)); }
  async decisions() { return { decisions: this.data.decisions, more: false }; }
  async controllerLog() { return { text: this.data.log, next: this.data.log.length, end: true }; }
  async log(): Promise<LogPart> { return this.absent("logs of runs"); }
  async files() { return { files: [], more: false }; }
  async run(_id: string, run: number): Promise<Run> {
    // Its environment is nobody's business, and not in the file.
    return { ...(this.data.runs[run] ?? this.absent(`details of run ${run}`)), environment: {} };
  }
  async thresholds(_id: string, run: number) { return this.data.thresholds[run] ?? this.absent(`thresholds of run ${run}`); }

  async curves(_id: string, metric: string) {
    const text = this.data.curves[metric];
    return text ? decodeCurves(fromBase64(text)) : this.absent(`curves of ${metric}`);
  }

  async importance() {
    const { importance } = this.data;
    if (typeof importance === "string") throw new ApiError(409, importance);
    return importance;
  }

  async model() { return this.data.model; }

  async series(id: string, metric: string, runs: number[]): Promise<Series[]> {
    const curves = await this.curves(id, metric);
    void id;
    return runs.flatMap((run) => {
      const at = curves.run.indexOf(run);
      if (at < 0) return [];
      const from = curves.start[at], to = curves.start[at + 1];
      return [{ run, attempt: 1, count: to - from, place: [...curves.place.subarray(from, to)],
                step: [...curves.step.subarray(from, to)].map((s) => (Number.isNaN(s) ? null : s)),
                value: [...curves.value.subarray(from, to)], time: [...curves.time.subarray(from, to)] }];
    });
  }

  listen(_sweep: string | undefined, handlers: Handlers) {
    handlers.connection?.(true);
    return () => {};
  }
}
