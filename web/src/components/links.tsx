// SPDX-License-Identifier: Apache-2.0
// Small things that stand in many places: states, moments, values, copied text.
import { useState } from "preact/hooks";
import { signal } from "@preact/signals";
import { age, moment } from "../data/format";
import { Icon } from "./icon";
import { toast } from "./toasts";

/** The time of the page, once every few seconds: what "3 min ago" counts from. */
export const now = signal(Date.now());
if (globalThis.document) setInterval(() => (now.value = Date.now()), 5000);

export function Ago({ at }: { at: string | number | null }) {
  if (at === null) return <span class="quiet">–</span>;
  const time = typeof at === "number" ? at : Date.parse(at);
  return <time dateTime={new Date(time).toISOString()} title={moment(time)}>{age(time, Math.max(now.value, time > now.value ? time : 0))}</time>;
}

/** When something is expected; of what is overdue no more is known. */
export function Until({ at }: { at: string }) {
  const left = Date.parse(at) - now.value;
  return <time dateTime={at} title={moment(at)}>{left < 5000 ? "any moment" : age(Date.parse(at), now.value)}</time>;
}

export function StatusMark({ status, state }: { status: string; state?: string }) {
  const word = state === "orphaned" ? "Interrupted" : status;
  const key = state === "orphaned" ? "orphaned" : status.toLowerCase();
  return <span class={`status status-${key}`}><i aria-hidden="true" />{word}</span>;
}

export function Copy({ text, label = "Copy" }: { text: string; label?: string }) {
  const [done, setDone] = useState(false);
  return (
    <button type="button" class="icon-button" title={label} aria-label={label}
            onClick={async () => {
              try {
                await navigator.clipboard.writeText(text);
                setDone(true);
                setTimeout(() => setDone(false), 1200);
              } catch {
                toast("error", "The browser did not let the page write to the clipboard; select the text and copy it.");
              }
            }}>
      <Icon name={done ? "check" : "copy"} />
    </button>
  );
}

/** A command line to copy. */
export function CommandLine({ text }: { text: string }) {
  return <div class="command-line"><code tabIndex={0}>{text}</code><Copy text={text} label="Copy the command line" /></div>;
}

export function Empty({ title, children }: { title: string; children?: preact.ComponentChildren }) {
  return (
    <div class="empty">
      <svg viewBox="0 0 120 48" width="120" height="48" aria-hidden="true" fill="none" stroke="currentColor" stroke-width="1.5">
        <path d="M4 40c18 0 18-26 36-26s18 20 36 20 20-26 40-26" stroke-dasharray="3 4" /><circle cx="116" cy="8" r="3" />
      </svg>
      <h2>{title}</h2>
      {children}
    </div>
  );
}

export function Failure({ message, again }: { message: string; again?: () => void }) {
  return (
    <div class="failure" role="alert">
      <p>{message}</p>
      {again && <button type="button" class="button" onClick={again}>Try again</button>}
    </div>
  );
}

export function Loading({ what }: { what: string }) {
  return <div class="loading" aria-busy="true"><span class="shimmer" /><p>{what}</p></div>;
}
