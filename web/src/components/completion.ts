// SPDX-License-Identifier: Apache-2.0
// Completion for hdconfig.yml from its JSON Schema: which mapping the cursor stands in follows from indentation, as YAML has it.

export interface Schema {
  type?: string | string[];
  description?: string;
  properties?: Record<string, Schema>;
  items?: Schema;
  enum?: unknown[];
  const?: unknown;
  anyOf?: Schema[];
  oneOf?: Schema[];
  allOf?: Schema[];
  $ref?: string;
  $defs?: Record<string, Schema>;
  definitions?: Record<string, Schema>;
}

/** The keys above a line, from the top; "-" stands for an item of a list. */
export function pathAt(lines: string[], line: number, indent: number): string[] {
  const path: string[] = [];
  let limit = indent;
  for (let i = line - 1; i >= 0; --i) {
    const text = lines[i];
    if (!text.trim() || text.trim().startsWith("#")) continue;
    const match = /^(\s*)((?:- +)*)([\w.-]+):\s*(.*)$/.exec(text);
    if (!match) continue;
    const column = match[1].length + match[2].length;
    if (match[2] && column <= limit && match[1].length < limit) {
      // The first key of an item: the cursor's mapping is this item.
      if (column < limit) path.unshift(match[3]);
      path.unshift("-");
      limit = match[1].length;
      // A list may stand at its key's own column.
      const owner = ownerOf(lines, i, limit);
      if (owner) {
        path.unshift(owner.key);
        limit = owner.column;
        i = owner.line;
      }
      continue;
    }
    if (column < limit && !match[4].replace(/#.*/, "").trim()) {
      path.unshift(match[3]);
      limit = column;
    }
  }
  return path;
}

function ownerOf(lines: string[], from: number, column: number): { key: string; column: number; line: number } | null {
  for (let i = from - 1; i >= 0; --i) {
    const match = /^(\s*)([\w.-]+):\s*(#.*)?$/.exec(lines[i]);
    if (match && match[1].length <= column) return { key: match[2], column: match[1].length, line: i };
  }
  return null;
}

/** All that a schema may be: references followed, alternatives side by side. */
export function alternatives(schema: Schema | undefined, root: Schema, depth = 0): Schema[] {
  if (!schema || depth > 8) return [];
  if (schema.$ref) {
    const found = schema.$ref.replace(/^#\//, "").split("/").reduce<any>((at, key) => at?.[key.replace(/~1/g, "/").replace(/~0/g, "~")], root);
    return alternatives(found, root, depth + 1);
  }
  return [schema, ...[...(schema.anyOf ?? []), ...(schema.oneOf ?? []), ...(schema.allOf ?? [])].flatMap((one) => alternatives(one, root, depth + 1))];
}

export function schemaAt(root: Schema, path: string[]): Schema[] {
  let here = alternatives(root, root);
  for (const key of path) here = here.flatMap((schema) => alternatives(key === "-" ? schema.items : schema.properties?.[key], root));
  return here;
}

export interface Offer { label: string; detail?: string; key: boolean }

/** What may stand at the cursor: keys of the mapping, or the values of a key. */
export function offers(root: Schema, lines: string[], line: number, before: string): Offer[] {
  const value = /^(\s*(?:- +)*)([\w.-]+):\s+(\S*)$/.exec(before);
  if (value) {
    const path = pathAt(lines, line, value[1].length);
    const found = new Set<string>();
    for (const schema of schemaAt(root, [...path, value[2]])) {
      for (const one of schema.enum ?? []) found.add(String(one));
      if (schema.const !== undefined) found.add(String(schema.const));
      if (schema.type === "boolean") for (const one of ["true", "false"]) found.add(one);
    }
    return [...found].map((label) => ({ label, key: false }));
  }
  const key = /^(\s*(?:- +)*)([\w.-]*)$/.exec(before);
  if (!key) return [];
  const dash = key[1].includes("-");
  const path = pathAt(lines, line, key[1].length);
  if (dash && path[path.length - 1] !== "-") path.push("-");
  const keys = new Map<string, string | undefined>();
  for (const schema of schemaAt(root, path))
    for (const [name, one] of Object.entries(schema.properties ?? {})) if (!keys.get(name)) keys.set(name, alternatives(one, root).find((s) => s.description)?.description);
  return [...keys].map(([label, detail]) => ({ label, detail, key: true }));
}
