// SPDX-License-Identifier: Apache-2.0
// What an action said, in the command's own words, for as long as it takes to read them; errors stay until they are put away.
import { signal } from "@preact/signals";
import { Icon } from "./icon";

interface Toast { id: number; level: "done" | "error"; text: string }

const toasts = signal<Toast[]>([]);
let next = 0;

export function toast(level: Toast["level"], text: string): void {
  const id = next++;
  toasts.value = [...toasts.value.slice(-3), { id, level, text }];
  if (level === "done") setTimeout(() => dismiss(id), 4000 + text.length * 40);
}

function dismiss(id: number): void {
  toasts.value = toasts.value.filter((one) => one.id !== id);
}

export function Toasts() {
  return (
    <div class="toasts" role="status" aria-live="polite">
      {toasts.value.map((one) => (
        <div key={one.id} class={`toast toast-${one.level}`}>
          <pre>{one.text}</pre>
          <button type="button" class="icon-button" aria-label="Put away" onClick={() => dismiss(one.id)}><Icon name="close" /></button>
        </div>
      ))}
    </div>
  );
}
