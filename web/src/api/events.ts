// SPDX-License-Identifier: Apache-2.0
// The stream of events. EventSource reconnects by itself only where the server was there once; this one always does, goes on from
// the last id it saw, and says how it stands.
import type { Note, Sweep } from "./types";

export interface Event {
  id: string;
  type: string;
  data: string;
}

export interface Handlers {
  sweep?(sweep: Sweep): void;
  gone?(id: string): void;
  runs?(change: { sweep: string; version: string; runs: number[] | null }): void;
  note?(note: Note): void;
  /** The server has ended, and said so. */
  end?(): void;
  /** The connection is there (again), or lost since. */
  connection?(connected: boolean): void;
}

/** Takes the text of a stream piece by piece and gives the events that are whole. */
export class EventParser {
  private rest = "";
  private id = "";
  private type = "";
  private data: string[] = [];

  push(text: string): Event[] {
    const events: Event[] = [];
    const lines = (this.rest + text).split(/\r\n|\n|\r(?!$)/);
    this.rest = lines.pop() ?? "";
    for (const line of lines) {
      if (line === "") {
        if (this.data.length) events.push({ id: this.id, type: this.type || "message", data: this.data.join("\n") });
        this.type = "";
        this.data = [];
        continue;
      }
      const colon = line.indexOf(":");
      if (colon === 0) continue; // a comment: the connection lives
      const field = colon < 0 ? line : line.slice(0, colon);
      const value = colon < 0 ? "" : line.slice(colon + 1).replace(/^ /, "");
      if (field === "data") this.data.push(value);
      else if (field === "event") this.type = value;
      else if (field === "id") this.id = value;
    }
    return events;
  }
}

// The server says something every 15 s; a stream that is silent for longer is dead although nobody closed it.
const SILENCE_MS = 40_000;
const LONGEST_WAIT_MS = 5_000;

function dispatch(event: Event, handlers: Handlers): void {
  const data = JSON.parse(event.data);
  if (event.type === "sweep") handlers.sweep?.(data);
  else if (event.type === "gone") handlers.gone?.(data.id);
  else if (event.type === "runs") handlers.runs?.(data);
  else if (event.type === "note") handlers.note?.(data);
}

/** Listens until the returned function is called, or the server says that it ends. */
export function listen(url: string, handlers: Handlers): () => void {
  let stopped = false;
  let lastId = "";
  let wait = 250;
  let controller = new AbortController();
  let wake: (() => void) | null = null;

  async function once(): Promise<void> {
    controller = new AbortController();
    let alarm = setTimeout(() => controller.abort(), SILENCE_MS);
    const headers: Record<string, string> = { Accept: "text/event-stream" };
    if (lastId) headers["Last-Event-ID"] = lastId;
    try {
      const response = await fetch(url, { headers, signal: controller.signal, cache: "no-store" });
      if (!response.ok || !response.body) throw new Error(String(response.status));
      handlers.connection?.(true);
      wait = 250;
      const parser = new EventParser();
      const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
      for (;;) {
        const { done, value } = await reader.read();
        if (done) return;
        clearTimeout(alarm);
        alarm = setTimeout(() => controller.abort(), SILENCE_MS);
        for (const event of parser.push(value)) {
          if (event.id) lastId = event.id;
          if (event.type === "end") {
            stopped = true;
            handlers.end?.();
            return;
          }
          dispatch(event, handlers);
        }
      }
    } finally {
      clearTimeout(alarm);
    }
  }

  async function loop(): Promise<void> {
    while (!stopped) {
      try {
        await once();
      } catch {
        // Told below; whatever went wrong, the answer is to try again.
      }
      if (stopped) return;
      handlers.connection?.(false);
      await new Promise<void>((resolve) => {
        wake = resolve;
        setTimeout(resolve, wait);
      });
      wait = Math.min(wait * 2, LONGEST_WAIT_MS);
    }
  }

  // A machine that wakes, or a tab that comes back, does not wait for the next try.
  const hurry = () => wake?.();
  globalThis.addEventListener?.("online", hurry);
  globalThis.document?.addEventListener("visibilitychange", hurry);
  void loop();
  return () => {
    stopped = true;
    controller.abort();
    wake?.();
    globalThis.removeEventListener?.("online", hurry);
    globalThis.document?.removeEventListener("visibilitychange", hurry);
  };
}
