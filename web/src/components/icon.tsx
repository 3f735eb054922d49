// SPDX-License-Identifier: Apache-2.0
// The few icons, drawn here on a grid of 16.
const PATHS = {
  more: "M3 8h.01M8 8h.01M13 8h.01",
  copy: "M5.5 5.5h7v8h-7zM3 10.500V2.500h7",
  check: "M3 8.500 6.500 12 13 4.500",
  close: "M4 4l8 8M12 4l-8 8",
  search: "M7 3a4 4 0 1 0 0 8 4 4 0 0 0 0-8zM10 10l3.500 3.500",
  up: "M8 13V3.500M4 7l4-4 4 4",
  down: "M8 3v9.500M4 9l4 4 4-4",
  caret: "M4 6.5l4 4 4-4",
  plus: "M8 3v10M3 8h10",
  right: "M6 3.500 10.500 8 6 12.500",
  stop: "M4 4h8v8H4z",
  pause: "M5.500 3.500v9M10.500 3.500v9",
  play: "M5 3.500 12 8l-7 4.500z",
} as const;

export type IconName = keyof typeof PATHS;

export function Icon({ name }: { name: IconName }) {
  return (
    <svg class="icon" viewBox="0 0 16 16" width="16" height="16" aria-hidden="true" fill="none" stroke="currentColor"
         stroke-width={name === "more" ? 2.2 : 1.6} stroke-linecap="round" stroke-linejoin="round">
      <path d={PATHS[name]} />
    </svg>
  );
}
