// SPDX-License-Identifier: Apache-2.0
// The API's calls, typed. What goes wrong is an ApiError with the server's own sentence.
import { decodeColumns, decodeCurves, type WireColumns, type WireCurves } from "./binary";
import type {
  About, CommandResult, Decision, FileEntry, Json, LogPart, ModelView, Preview, Problem, Run, Series, Sweep, SweepDetail, TargetList, Thresholds,
} from "./types";

export class ApiError extends Error {
  constructor(readonly status: number, message: string) {
    super(message);
  }
}

const BASE = "/api/v1/";

export type Query = Record<string, string | number | boolean | null | undefined>;

export function address(path: string, query: Query = {}): string {
  const parts = Object.entries(query)
    .filter(([, value]) => value !== undefined && value !== null && value !== "")
    .map(([key, value]) => `${encodeURIComponent(key)}=${encodeURIComponent(String(value))}`);
  return BASE + path + (parts.length ? `?${parts.join("&")}` : "");
}

async function send(url: string, init: RequestInit = {}): Promise<Response> {
  let response: Response;
  try {
    response = await fetch(url, { cache: "no-store", credentials: "same-origin", ...init });
  } catch (error) {
    if ((error as Error).name === "AbortError") throw error;
    throw new ApiError(0, "The server does not answer. It ends with the command that started it: run `hdrive ui` again.");
  }
  if (response.ok) return response;
  if (response.status === 401)
    throw new ApiError(401, "This browser has not been let in. Open the address that `hdrive ui` printed, with its token.");
  let message = `The server answered ${response.status}`;
  try {
    message = (await response.json()).error.message;
  } catch {
    // Not ours: the status alone has to do.
  }
  throw new ApiError(response.status, message);
}

async function get<T>(path: string, query?: Query, signal?: AbortSignal): Promise<T> {
  return (await send(address(path, query), { signal })).json();
}

async function post<T>(path: string, body: unknown): Promise<T> {
  const response = await send(address(path), {
    method: "POST",
    headers: { "Content-Type": "application/json", "X-Hdrive": "1" },
    body: JSON.stringify(body),
  });
  return response.json();
}

const of = (sweep: string) => `sweeps/${encodeURIComponent(sweep)}`;

export const api = {
  about: () => get<About>("about"),
  sweeps: () => get<{ sweeps: Sweep[]; problems: { directory: string; message: string }[] }>("sweeps"),
  sweep: (id: string) => get<SweepDetail>(of(id)),
  columns: async (id: string, since?: string): Promise<WireColumns> =>
    decodeColumns(await (await send(address(`${of(id)}/columns`, { since }))).arrayBuffer()),
  curves: async (id: string, metric: string, points: number, most: number): Promise<WireCurves> =>
    decodeCurves(await (await send(address(`${of(id)}/curves`, { metric, points, most }))).arrayBuffer()),
  series: (id: string, metric: string, runs: number[], points: number, from?: number) =>
    get<{ metric: string; series: Series[] }>(`${of(id)}/series`, { metric, runs: runs.join(","), points, from }),
  decisions: (id: string, before?: number, limit = 200) =>
    get<{ decisions: Decision[]; more: boolean }>(`${of(id)}/decisions`, { before, limit }),
  controllerLog: (id: string, from = 0) => get<{ text: string; next: number; end: boolean }>(`${of(id)}/log`, { from }),
  importance: (id: string) => get<{ parameters: { name: string; share: number }[] }>(`${of(id)}/importance`),
  model: (id: string) => get<ModelView>(`${of(id)}/model`),
  run: (id: string, run: number) => get<Run>(`${of(id)}/runs/${run}`),
  thresholds: (id: string, run: number) => get<Thresholds>(`${of(id)}/runs/${run}/thresholds`),
  log: (id: string, run: number, stream: "stdout" | "stderr", from: number, limit: number, tail?: boolean) =>
    get<LogPart>(`${of(id)}/runs/${run}/log`, { stream, from, limit, tail: tail ? 1 : undefined }),
  files: (id: string, run: number) => get<{ files: FileEntry[]; more: boolean }>(`${of(id)}/runs/${run}/files`),
  fileAddress: (id: string, run: number, path: string, render = false) =>
    address(`${of(id)}/runs/${run}/file`, { path, render: render ? 1 : undefined }),
  fileText: async (id: string, run: number, path: string, limit: number): Promise<string> =>
    (await send(address(`${of(id)}/runs/${run}/file`, { path, from: 0, limit }))).text(),
  targets: () => get<TargetList>("targets"),
  command: (args: string[], input: string | null = null) => post<CommandResult>("commands", { arguments: args, input }),
  validate: (config: string, folder: string) => post<{ problems: Problem[]; summary: string | null }>("validate", { config, folder }),
  preview: (config: string, folder: string, count: number) => post<Preview>("preview", { config, folder, count }),
  schema: () => get<Json>("schema"),
  eventsAddress: (sweep?: string) => address("events", { sweep }),
};
