// SPDX-License-Identifier: Apache-2.0
// Where the page is, in the part of the address behind "#": the server need not know pages, and a report on disk has them too.
import { signal } from "@preact/signals";

export interface Route {
  parts: string[];
  query: URLSearchParams;
}

export function parse(hash: string): Route {
  const [path, query = ""] = hash.replace(/^#\/?/, "").split("?");
  return { parts: path.split("/").filter(Boolean).map(decodeURIComponent), query: new URLSearchParams(query) };
}

export const route = signal<Route>(parse(globalThis.location?.hash ?? ""));

globalThis.addEventListener?.("hashchange", () => {
  const before = route.value.parts.join("/");
  route.value = parse(location.hash);
  if (route.value.parts.join("/") !== before) scrollTo(0, 0);
});

export function go(hash: string): void {
  location.hash = hash;
}

/** Changes the query without a new entry in the history. */
export function setQuery(changes: Record<string, string | null>): void {
  const { parts, query } = route.value;
  const next = new URLSearchParams(query);
  for (const [key, value] of Object.entries(changes)) {
    if (value === null || value === "") next.delete(key);
    else next.set(key, value);
  }
  const text = next.toString();
  history.replaceState(null, "", `#/${parts.map(encodeURIComponent).join("/")}${text ? `?${text}` : ""}`);
  route.value = { parts, query: next };
}
