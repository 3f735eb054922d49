// SPDX-License-Identifier: Apache-2.0
// Columns and curves as they travel: magic, length of the header, header as JSON, then arrays padded to 8 bytes, little endian.
import type { Json } from "./types";

export type Numbers = Float64Array | Int32Array | Uint8Array;
type Type = "f64" | "i32" | "u8";

export interface WireColumn {
  name: string;
  role: "field" | "parameter" | "metric";
  type: Type;
  categories?: Json[];
  stat?: "last" | "least" | "greatest" | "count";
  data: Numbers;
}

export interface WireColumns {
  version: string;
  replaced: boolean;
  rows: number;
  columns: WireColumn[];
}

export interface Envelope {
  place: number[];
  low: number[];
  median: number[];
  high: number[];
  best: number[];
}

export interface WireCurves {
  version: string;
  metric: string;
  of: number;
  rows: number;
  chosen: string;
  envelope: Envelope | null;
  run: Int32Array;
  start: Int32Array;
  place: Int32Array;
  step: Float64Array;
  value: Float64Array;
  time: Float64Array;
}

const SIZES: Record<Type, number> = { f64: 8, i32: 4, u8: 1 };

class Reader {
  readonly header: any;
  private offset: number;

  constructor(private readonly buffer: ArrayBuffer, magic: string) {
    const told = buffer.byteLength < 8 ? "" : String.fromCharCode(...new Uint8Array(buffer, 0, 4));
    if (told !== magic) throw new Error(`The server sent something else than ${magic}; is it of another version?`);
    const length = new DataView(buffer).getUint32(4, true);
    if (8 + length > buffer.byteLength) throw new Error(`The server's ${magic} data ends within its header`);
    this.header = JSON.parse(new TextDecoder().decode(new Uint8Array(buffer, 8, length)));
    this.offset = 8 + length;
  }

  take(type: "f64", count: number): Float64Array;
  take(type: "i32", count: number): Int32Array;
  take(type: Type, count: number): Numbers;
  take(type: Type, count: number): Numbers {
    const bytes = count * SIZES[type];
    if (!SIZES[type] || this.offset + bytes > this.buffer.byteLength)
      throw new Error("The server's data ends within a column; load the page again");
    const at = this.offset;
    this.offset += Math.ceil(bytes / 8) * 8;
    if (type === "f64") return new Float64Array(this.buffer, at, count);
    return type === "i32" ? new Int32Array(this.buffer, at, count) : new Uint8Array(this.buffer, at, count);
  }
}

export function decodeColumns(buffer: ArrayBuffer): WireColumns {
  const reader = new Reader(buffer, "HDC1");
  const { version, replaced, rows, columns } = reader.header;
  return {
    version: String(version),
    replaced: Boolean(replaced),
    rows,
    columns: columns.map((column: Omit<WireColumn, "data">) => ({ ...column, data: reader.take(column.type, rows) })),
  };
}

function finite(list: unknown[] | undefined): number[] {
  return (list ?? []).map((value) => (value === null ? NaN : Number(value)));
}

export function decodeCurves(buffer: ArrayBuffer): WireCurves {
  const reader = new Reader(buffer, "HDV1");
  const { version, metric, of, rows, chosen, envelope } = reader.header;
  const run = reader.take("i32", rows);
  const start = reader.take("i32", rows + 1);
  const points = start[rows] ?? 0;
  return {
    version: String(version),
    metric,
    of,
    rows,
    chosen,
    envelope: envelope?.place?.length
      ? { place: finite(envelope.place), low: finite(envelope.low), median: finite(envelope.median),
          high: finite(envelope.high), best: finite(envelope.best) }
      : null,
    run,
    start,
    place: reader.take("i32", points),
    step: reader.take("f64", points),
    value: reader.take("f64", points),
    time: reader.take("f64", points),
  };
}
