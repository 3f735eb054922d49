// SPDX-License-Identifier: Apache-2.0
// What the HTTP API tells, as it is written there (server/portal): snake_case, moments as ISO 8601 text, durations in seconds.

/** A number that may be none: NaN and infinities travel as text. */
export type Value = number | "NaN" | "Infinity" | "-Infinity";
export type Json = null | boolean | number | string | Json[] | { [key: string]: Json };
export type Goal = "Minimize" | "Maximize";

export interface About {
  version: string;
  api: number;
  home: string;
  host: string;
  read_only: boolean;
  /** The sweep that this server is beside, and ends with. */
  ends_with?: string | null;
  now: string;
  /** What stands behind command lines that are shown: "" or " --output-dir X". */
  home_hint: string;
}

export interface Sweep {
  id: string;
  short_id: string;
  name: string;
  directory: string;
  status: string;
  /** orphaned: recorded as running, and no engine there. */
  state: "live" | "orphaned" | "over";
  reason: string;
  engine: number | null;
  created: string;
  changed: string | null;
  latest: string | null;
  active_seconds: number;
  runs: number;
  live: number;
  completed: number;
  failed: number;
  canceled: number;
  /** By the policy; a part of canceled. */
  stopped: number;
  max_total_runs: number | null;
  max_concurrent_runs: number;
  metric: string;
  goal: Goal;
  best: { run: number; value: Value } | null;
  improvements: [number, Value][];
  sampler: string;
  policy: string;
  tags: Record<string, string>;
  description: string;
  experiment: string;
  expected_end: string | null;
  /** null: it is being measured. */
  size_bytes: number | null;
  /** false: at least so much. */
  size_is_complete?: boolean;
  damaged: string | null;
}

export interface Parameter {
  name: string;
  as_written: string;
  kind: string;
  low: number | null;
  high: number | null;
  log: boolean;
  integer: boolean;
  q: number | null;
  mu: number | null;
  sigma: number | null;
  options?: Json[];
  condition: string | null;
}

export interface PolicyOptions {
  kind: string;
  evaluation_interval?: number;
  delay_evaluation?: number;
  slack_factor?: number;
  slack_amount?: number;
  truncation_percentage?: number;
  [key: string]: string | number | boolean | undefined;
}

export interface Note {
  time: string;
  level: "info" | "warning" | "error";
  run: number | null;
  text: string;
}

export interface SweepDetail extends Sweep {
  space: Parameter[];
  config: string;
  config_file: string | null;
  edits: { time: string; what: string }[];
  notes: Note[];
  sampler_text: string;
  policy_text: string;
  policy_settings?: PolicyOptions | null;
  command: string;
  targets: string[];
  compute_seconds: number;
  saved_seconds: number | null;
  metrics: { name: string; runs: number; count: number; least: Value | null; greatest: Value | null }[];
  parameters: string[];
  properties: Record<string, string>;
  version: string;
}

export interface Decision {
  index: number;
  time: string;
  run: number;
  attempt: number;
  what: string;
  reason: string;
  value: Value | null;
  threshold: Value | null;
}

export interface Series {
  run: number;
  attempt: number;
  count: number;
  place: number[];
  step: (number | null)[];
  value: Value[];
  time: number[];
}

export interface Run {
  number: number;
  run_id: string;
  status: string;
  attempt: number;
  ended_by: string;
  reason: string;
  created: string | null;
  started: string | null;
  ended: string | null;
  duration_seconds: number | null;
  parameters: Record<string, Json>;
  proposal: string;
  start_point: boolean;
  pid: number | null;
  handle: string;
  slot: number | null;
  cpu_seconds: number | null;
  peak_memory_bytes: number | null;
  exit_code: number | null;
  signal: number | null;
  stderr_tail: string;
  canceling: { cause: string; reason: string } | null;
  lost_contact: { since: string; why: string } | null;
  command_line: string;
  directory: string;
  outputs_directory: string;
  metrics: { name: string; count: number; not_finite: number; last: Value; last_step: number | null; least: Value; greatest: Value }[];
  verdict: { what: string; reason: string; interval: number; value: Value; threshold: Value | null } | null;
  policy_sentence: string;
  attempts: { attempt: number; cause: string; reason: string; time: string }[];
  environment: Record<string, string>;
  target: string | null;
}

export interface Thresholds {
  metric: string;
  places: number[];
  own: (Value | null)[];
  threshold: (Value | null)[];
}

/** What the model expects along one parameter. */
export interface ModelSlice {
  name: string;
  /** Where several parameters have the name: "lr (optimizer adam)". */
  label: string;
  /** Whose parameters all others are; null: of an earlier sweep. */
  run: number | null;
  values: Json[];
  mean: Value[];
  low: Value[];
  high: Value[];
}

export interface ModelView {
  metric: string;
  results: number;
  noise: Value | null;
  /** Why there is none. */
  why: string | null;
  parameters: ModelSlice[];
}

export interface LogPart {
  text: string;
  from: number;
  next: number;
  size: number;
  end: boolean;
}

export interface FileEntry {
  path: string;
  size: number;
  modified: string;
  kind: "image" | "text" | "csv" | "json" | "html" | "other";
  step: number | null;
}

export interface TargetOption {
  name: string;
  kind: string;
  required: boolean;
  description: string;
  default: Json;
  choices: string[] | null;
}

export interface TargetList {
  targets: {
    name: string;
    type: string;
    description: string;
    options: Record<string, Json>;
    slots: number | null;
    in_use: number | null;
    file: string | null;
    problem: string | null;
  }[];
  types: { type: string; description: string; options: TargetOption[] }[];
}

export interface CommandResult {
  command_line: string;
  exit_code: number;
  output: string;
  errors: string;
}

export interface Problem {
  line: number;
  column: number;
  severity: "error" | "warning";
  message: string;
}

export interface Preview {
  runs: { parameters: Record<string, Json>; command_line: string }[];
  problems: Problem[];
}

/** A number of the API as a number. */
export function toNumber(value: Value | null | undefined): number {
  return value === null || value === undefined ? NaN : Number(value);
}
