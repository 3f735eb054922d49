// SPDX-License-Identifier: Apache-2.0
// Colours for one line of YAML: keys, comments, quoted text, numbers. For looking only; the editor has a parser.
export type Part = [kind: "" | "key" | "comment" | "string" | "number" | "mark", text: string];

const TOKENS = /(#.*$)|("(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|([A-Za-z_-][\w .-]*?)(?=:(?:\s|$))|((?<![\w.-])-?\d[\d.]*(?:e[+-]?\d+)?)(?=[\s,\]}]|$)|([[\]{},:]|- )/g;

export function highlight(line: string): Part[] {
  const parts: Part[] = [];
  let end = 0;
  for (const match of line.matchAll(TOKENS)) {
    const [text, comment, string, key, number] = match;
    if (comment && match.index > 0 && !/\s/.test(line[match.index - 1])) continue;
    if (match.index > end) parts.push(["", line.slice(end, match.index)]);
    parts.push([comment ? "comment" : string ? "string" : key ? "key" : number ? "number" : "mark", text]);
    end = match.index + text.length;
  }
  if (end < line.length || !parts.length) parts.push(["", line.slice(end) || " "]);
  return parts;
}
