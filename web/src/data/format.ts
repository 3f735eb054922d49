// SPDX-License-Identifier: Apache-2.0
// Numbers, durations, moments and sizes as people read them.

const MINUS = "\u2212";
const THIN = "\u202f";

function signed(text: string): string {
  return text.replace("-", MINUS);
}

/** A value to so many significant digits, without trailing zeros; scientific where plain digits would mislead. */
export function number(value: number, digits = 4): string {
  if (Number.isNaN(value)) return "NaN";
  if (!Number.isFinite(value)) return value > 0 ? "∞" : `${MINUS}∞`;
  if (value === 0) return "0";
  const size = Math.abs(value);
  if (Number.isInteger(value) && size < 1e6) return signed(value.toLocaleString("en-US").replace(/,/g, size >= 1e4 ? THIN : ""));
  if (size >= 1e6 || size < 1e-4) {
    const [mantissa, exponent] = value.toExponential(Math.max(0, digits - 1)).split("e");
    const short = mantissa.includes(".") ? mantissa.replace(/\.?0+$/, "") : mantissa;
    return signed(`${short}e${Number(exponent)}`);
  }
  const text = Number(value.toPrecision(digits)).toString();
  return signed(text);
}

/** A count with thin spaces between the thousands. */
export function count(value: number): string {
  return Math.round(value).toLocaleString("en-US").replace(/,/g, THIN);
}

/** A count in at most four characters: 12k, 1.4M. */
export function shortCount(value: number): string {
  if (value < 1000) return String(Math.round(value));
  if (value < 1e6) return `${Number((value / 1e3).toPrecision(value < 1e4 ? 2 : 3))}k`;
  return `${Number((value / 1e6).toPrecision(3))}M`;
}

export function percent(share: number): string {
  const value = share * 100;
  if (!Number.isFinite(value)) return "–";
  return `${value >= 10 || value === 0 ? Math.round(value) : Number(value.toPrecision(1))}${THIN}%`;
}

/** Two units at most: "2 h 14 min". */
export function duration(seconds: number): string {
  if (!Number.isFinite(seconds) || seconds < 0) return "–";
  if (seconds < 0.995) return `${Math.round(seconds * 1000)} ms`;
  if (seconds < 9.95) return `${Number(seconds.toFixed(1))} s`;
  if (seconds < 59.5) return `${Math.round(seconds)} s`;
  const minutes = Math.round(seconds / 60);
  if (seconds < 600) {
    const rest = Math.round(seconds % 60);
    return rest && rest < 60 ? `${Math.floor(seconds / 60)} min ${rest} s` : `${minutes} min`;
  }
  if (minutes < 60) return `${minutes} min`;
  const hours = Math.floor(minutes / 60);
  if (hours < 24) return minutes % 60 ? `${hours} h ${minutes % 60} min` : `${hours} h`;
  const days = Math.floor(hours / 24);
  return hours % 24 ? `${days} d ${hours % 24} h` : `${days} d`;
}

/** How long ago, in one unit. */
export function age(moment: number, now: number): string {
  const seconds = (now - moment) / 1000;
  if (!Number.isFinite(seconds)) return "–";
  if (seconds < -1) return `in ${duration(-seconds)}`;
  if (seconds < 5) return "just now";
  if (seconds < 60) return `${Math.round(seconds)} s ago`;
  if (seconds < 3600) return `${Math.round(seconds / 60)} min ago`;
  if (seconds < 86400) return `${Math.round(seconds / 3600)} h ago`;
  if (seconds < 86400 * 14) return `${Math.round(seconds / 86400)} d ago`;
  if (seconds < 86400 * 60) return `${Math.round(seconds / 604800)} weeks ago`;
  return `${Math.round(seconds / 2629800)} months ago`;
}

/** The moment in full, in the browser's time zone. */
export function moment(value: number | string): string {
  const date = new Date(value);
  if (Number.isNaN(date.getTime())) return "–";
  const two = (n: number) => String(n).padStart(2, "0");
  return `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}`;
}

export function clock(value: number | string): string {
  return moment(value).slice(11);
}

export function bytes(value: number): string {
  if (!Number.isFinite(value)) return "–";
  const units = ["B", "kB", "MB", "GB", "TB"];
  let unit = 0;
  while (value >= 999.5 && unit < units.length - 1) {
    value /= 1000;
    ++unit;
  }
  return `${Number(value.toPrecision(3))} ${units[unit]}`;
}

/** A parameter's value as it stands on a command line. */
export function json(value: unknown): string {
  if (typeof value === "number") return number(value, 5);
  return typeof value === "string" ? value : JSON.stringify(value);
}

/** A word of a command line, quoted where a shell would take it apart. */
export function shellWord(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replace(/'/g, "'\\''")}'`;
}

/** A cell of CSV by RFC 4180. */
export function csvCell(value: unknown): string {
  const text = value === null || value === undefined || (typeof value === "number" && Number.isNaN(value)) ? "" : String(value);
  return /[",\r\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text;
}
