// SPDX-License-Identifier: Apache-2.0
// The tokens of style/tokens.css as charts need them, again whenever the system turns from light to dark.
import { signal } from "@preact/signals";

export interface Theme {
  dark: boolean;
  surface: string;
  ink: string;
  ink2: string;
  ink3: string;
  line: string;
  line2: string;
  accent: string;
  best: string;
  faded: string;
  status: string[];
  /** From the worst value to the best. */
  ramp: string[];
  /** 64 steps of it. */
  shades: string[];
  series: string[];
}

function channels(color: string): number[] {
  const value = parseInt(color.slice(1), 16);
  return [value >> 16, (value >> 8) & 255, value & 255];
}

export function mix(a: string, b: string, share: number): string {
  const from = channels(a), to = channels(b);
  return "#" + from.map((c, i) => Math.round(c + (to[i] - c) * share).toString(16).padStart(2, "0")).join("");
}

export function shade(ramp: string[], share: number): string {
  const at = Math.min(Math.max(share, 0), 1) * (ramp.length - 1);
  const below = Math.min(Math.floor(at), ramp.length - 2);
  return mix(ramp[below], ramp[below + 1], at - below);
}

function read(): Theme {
  const style = getComputedStyle(document.documentElement);
  const get = (name: string) => style.getPropertyValue(`--${name}`).trim();
  const ramp = [0, 1, 2, 3, 4, 5, 6].map((i) => get(`ramp-${i}`));
  return {
    dark: matchMedia("(prefers-color-scheme: dark)").matches,
    surface: get("surface"), ink: get("ink"), ink2: get("ink-2"), ink3: get("ink-3"), line: get("line"), line2: get("line-2"),
    accent: get("accent"), best: get("best"), faded: get("faded"),
    status: ["queued", "running", "completed", "failed", "canceled", "stopped"].map(get),
    ramp,
    shades: Array.from({ length: 64 }, (_, i) => shade(ramp, i / 63)),
    series: [0, 1, 2, 3, 4, 5, 6, 7].map((i) => get(`series-${i}`)),
  };
}

const current = signal<Theme | null>(null);

export const theme = {
  get value(): Theme {
    if (!current.value) {
      current.value = read();
      matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => (current.value = read()));
    }
    return current.value;
  },
};

export function rgb(color: string): [number, number, number] {
  const [r, g, b] = channels(color);
  return [r / 255, g / 255, b / 255];
}
