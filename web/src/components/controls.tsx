// SPDX-License-Identifier: Apache-2.0
// The small controls of charts and lists.
import { Icon } from "./icon";

export function Choice({ label, value, options, onChange }: {
  label: string; value: string; options: [string, string][]; onChange(value: string): void;
}) {
  return (
    <select class="choice" aria-label={label} title={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
      {options.map(([key, text]) => <option value={key} selected={key === value}>{text}</option>)}
    </select>
  );
}

export function Toggle({ text, title, on, onChange }: { text: string; title?: string; on: boolean; onChange(on: boolean): void }) {
  return <button type="button" class="toggle" aria-pressed={on} title={title} onClick={() => onChange(!on)}>{text}</button>;
}

export function Search({ label, value, onInput }: { label: string; value: string; onInput(value: string): void }) {
  return (
    <label class="search">
      <Icon name="search" />
      <input type="search" placeholder={label} aria-label={label} value={value} spellcheck={false} onInput={(event) => onInput(event.currentTarget.value)} />
    </label>
  );
}
