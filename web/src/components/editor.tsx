// SPDX-License-Identifier: Apache-2.0
// The editor for hdconfig.yml: CodeMirror, in a shadow root, where it brings its rules as constructed style sheets (a <style> element
// would be against the page's policy). Fetched with its page alone.
import { autocompletion, completionKeymap, type CompletionContext } from "@codemirror/autocomplete";
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { yaml } from "@codemirror/lang-yaml";
import { HighlightStyle, indentUnit, syntaxHighlighting } from "@codemirror/language";
import { lintGutter, lintKeymap, setDiagnostics, type Diagnostic } from "@codemirror/lint";
import { EditorState } from "@codemirror/state";
import { drawSelection, EditorView, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "preact/hooks";
import type { Problem } from "../api/types";
import { offers, type Schema } from "./completion";

const colours = HighlightStyle.define([
  { tag: [tags.propertyName, tags.definition(tags.propertyName)], color: "var(--accent)" },
  { tag: tags.comment, color: "var(--ink-3)", fontStyle: "italic" },
  { tag: tags.string, color: "var(--series-2)" },
  { tag: [tags.number, tags.bool], color: "var(--series-1)" },
  { tag: [tags.punctuation, tags.separator, tags.squareBracket, tags.brace], color: "var(--ink-3)" },
]);

const look = EditorView.theme({
  "&": { color: "var(--ink)", backgroundColor: "var(--surface)", fontSize: "13px", height: "100%" },
  ".cm-scroller": { fontFamily: "var(--mono)", lineHeight: "1.6", fontVariantLigatures: "none" },
  ".cm-gutters": { backgroundColor: "var(--surface)", color: "var(--ink-3)", border: "none", paddingLeft: "8px" },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in srgb, var(--accent-soft) 45%, transparent)" },
  "&.cm-focused": { outline: "none" },
  ".cm-cursor": { borderLeftColor: "var(--ink)" },
  "&.cm-focused .cm-selectionBackground, .cm-selectionBackground": { backgroundColor: "var(--accent-soft) !important" },
  ".cm-tooltip": { backgroundColor: "var(--surface)", color: "var(--ink)", border: "1px solid var(--line-2)", borderRadius: "6px", boxShadow: "var(--shadow)", fontFamily: "var(--sans)" },
  ".cm-tooltip-autocomplete ul li": { padding: "3px 8px" },
  ".cm-tooltip-autocomplete ul li[aria-selected]": { backgroundColor: "var(--accent-soft)", color: "var(--ink)" },
  ".cm-completionDetail": { color: "var(--ink-3)", fontStyle: "normal", marginLeft: "12px" },
  ".cm-diagnostic": { padding: "6px 10px", borderLeftWidth: "3px" },
});

interface Props {
  text: string;
  onChange(text: string): void;
  problems: Problem[];
  schema: Schema | null;
  label: string;
}

export function Editor({ text, onChange, problems, schema, label }: Props) {
  const host = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView>(null);
  const latest = useRef({ onChange, schema });
  latest.current = { onChange, schema };

  useEffect(() => {
    const root = host.current!.shadowRoot ?? host.current!.attachShadow({ mode: "open" });
    const complete = (context: CompletionContext) => {
      const { schema } = latest.current;
      const line = context.state.doc.lineAt(context.pos);
      const before = line.text.slice(0, context.pos - line.from);
      const word = /[\w.-]*$/.exec(before)![0];
      if (!schema || (!word && !context.explicit && !/:\s+$/.test(before))) return null;
      const options = offers(schema, context.state.doc.toString().split("\n"), line.number - 1, before)
        .map((offer) => ({ label: offer.label, detail: offer.detail && offer.detail.length > 70 ? `${offer.detail.slice(0, 69)}…` : offer.detail, apply: offer.key ? `${offer.label}: ` : offer.label, type: offer.key ? "property" : "enum" }));
      return options.length ? { from: context.pos - word.length, options, validFor: /^[\w.-]*$/ } : null;
    };
    view.current = new EditorView({
      root, parent: root as unknown as Element,
      state: EditorState.create({
        doc: text,
        extensions: [
          lineNumbers(), lintGutter(), history(), drawSelection(), highlightActiveLine(), highlightActiveLineGutter(), indentUnit.of("  "), yaml(), syntaxHighlighting(colours), look,
          EditorView.contentAttributes.of({ tabindex: "0", "aria-label": label }), autocompletion({ override: [complete], icons: false }),
          // On a narrow screen lines are broken rather than scrolled.
          ...(matchMedia("(max-width: 700px)").matches ? [EditorView.lineWrapping] : []),
          keymap.of([...completionKeymap, ...lintKeymap, ...defaultKeymap, ...historyKeymap, indentWithTab]),
          EditorView.updateListener.of((update) => { if (update.docChanged) latest.current.onChange(update.state.doc.toString()); }),
        ],
      }),
    });
    return () => view.current?.destroy();
  }, []);

  useEffect(() => {
    const editor = view.current;
    if (!editor) return;
    const { doc } = editor.state;
    const diagnostics: Diagnostic[] = problems.map((problem) => {
      const line = doc.line(Math.min(doc.lines, Math.max(1, problem.line)));
      const from = Math.min(line.to, line.from + Math.max(0, problem.column - 1));
      const word = /^[^\s,\]}]+/.exec(line.text.slice(from - line.from))?.[0].length ?? 0;
      return { from, to: Math.min(line.to, from + Math.max(1, word)), severity: problem.severity, message: problem.message };
    });
    editor.dispatch(setDiagnostics(editor.state, diagnostics));
  }, [problems]);

  return <div ref={host} class="editor" />;
}
