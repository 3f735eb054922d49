// SPDX-License-Identifier: Apache-2.0
// A new sweep: the configuration in an editor that knows its keys, what `validate` says of it at its lines, what would be run, and the start.
import { useEffect, useRef, useState } from "preact/hooks";
import { about } from "../app";
import { api } from "../api/client";
import type { Preview, Problem } from "../api/types";
import type { Schema } from "../components/completion";
import { ask } from "../components/command_dialog";
import { Editor } from "../components/editor";
import { Copy } from "../components/links";
import { go } from "../components/router";
import { json } from "../data/format";

const BEGINNING = `sampling:
  type: auto
  parameter_space:
  - {name: --learning-rate, expression: log_uniform_values, values: [1.0e-4, 0.1]}
  - {name: --layers, expression: int_uniform, values: [1, 4]}
policy:
  type: BanditPolicy
  slack_factor: 0.1
  delay_evaluation: 5
primary_metric_name: accuracy
primary_metric_goal: Maximize
max_total_runs: 40
command: python3 train.py
`;
const KEPT = "hdrive-new-sweep";
const WAIT_MS = 350;

function kept(): { config: string; folder: string } {
  try {
    return JSON.parse(localStorage.getItem(KEPT) ?? "null") ?? { config: BEGINNING, folder: "" };
  } catch {
    return { config: BEGINNING, folder: "" };
  }
}

export function NewSweepPage() {
  const [config, setConfig] = useState(() => kept().config);
  const [folder, setFolder] = useState(() => kept().folder);
  const [name, setName] = useState("");
  const [problems, setProblems] = useState<Problem[]>([]);
  const [summary, setSummary] = useState<string | null>(null);
  const [preview, setPreview] = useState<Preview | null>(null);
  const [schema, setSchema] = useState<Schema | null>(null);
  const [error, setError] = useState("");
  // The editor owns its text; another beginning is another editor.
  const [edition, setEdition] = useState(0);
  const asked = useRef(0);
  const home = about.value?.home ?? "";
  const where = folder || home.replace(/\/\.hdrive$/, "");
  useEffect(() => {
    document.title = "New sweep – hdrive";
    api.schema().then((told) => setSchema(told as Schema), () => {});
  }, []);
  useEffect(() => {
    const mine = ++asked.current;
    const timer = setTimeout(async () => {
      try {
        localStorage.setItem(KEPT, JSON.stringify({ config, folder }));
        const told = await api.validate(config, where);
        if (mine !== asked.current) return;
        setProblems(told.problems);
        setSummary(told.summary);
        setError("");
        if (told.problems.some((problem) => problem.severity === "error")) return;
        const drawn = await api.preview(config, where, 5);
        if (mine === asked.current) setPreview(drawn);
      } catch (failure) {
        if (mine === asked.current) setError((failure as Error).message);
      }
    }, WAIT_MS);
    return () => clearTimeout(timer);
  }, [config, folder, where]);
  const errors = problems.filter((problem) => problem.severity === "error");
  const start = () => ask({
    title: "Start this sweep?", text: summary ?? undefined, action: "Start", input: config,
    args: () => ["run", "-", "--detach", "--path", where, ...(name.trim() ? ["--name", name.trim()] : [])],
    done: (result) => {
      const id = /HD_[\w-]+/.exec(result.output)?.[0];
      if (id) go(`#/sweeps/${id}`);
    },
  });
  const names = [...new Set((preview?.runs ?? []).flatMap((run) => Object.keys(run.parameters)))];
  return (
    <div class="page page-wide">
      <div class="page-head">
        <h1>New sweep</h1>
        <div class="page-head-end">
          <button type="button" class="button primary" disabled={errors.length > 0 || !where} onClick={start}>Start</button>
        </div>
      </div>
      <div class="columns new-columns">
        <div>
          <div class="fields new-fields">
            <label class="field"><span>source folder on the server's machine</span><input value={folder} placeholder={where} spellcheck={false} onInput={(event) => setFolder(event.currentTarget.value)} /></label>
            <label class="field"><span>name (optional)</span><input value={name} spellcheck={false} onInput={(event) => setName(event.currentTarget.value)} /></label>
          </div>
          <section class="panel editor-panel" aria-label="Configuration">
            <header class="chart-head"><h2>hdconfig.yml</h2><div class="chart-controls">
              <button type="button" class="toggle" title="Ctrl-Space completes a key or a value" onClick={() => { setConfig(BEGINNING); setEdition((n) => n + 1); }}>begin anew</button>
              <Copy text={config} label="Copy the configuration" /></div></header>
            <Editor key={edition} text={config} onChange={setConfig} problems={problems} schema={schema} label="Configuration" />
          </section>
        </div>
        <aside>
          <section class="panel facts" aria-live="polite">
            <h2>{errors.length ? `${errors.length} ${errors.length === 1 ? "problem" : "problems"}` : error ? "It cannot be checked" : "As it would be run"}</h2>
            {error && <p class="bad">{error}</p>}
            {!errors.length && summary && <p>{summary}</p>}
            <ul class="problem-list">{problems.map((problem) => <li class={problem.severity === "error" ? "bad" : ""}><b>{problem.line}:{problem.column}</b> {problem.message}</li>)}</ul>
          </section>
          {preview && preview.runs.length > 0 && (
            <section class={`panel preview ${errors.length ? "stale" : ""}`} aria-label="Drawn points">
              <header class="chart-head"><h2>The first points <span class="quiet">drawn as the sweep would</span></h2></header>
              <div class="chart-table" tabIndex={0} role="region" aria-label="Drawn points"><table>
                <thead><tr>{names.map((one) => <th scope="col">{one}</th>)}</tr></thead>
                <tbody>{preview.runs.map((run) => <tr>{names.map((one) => <td class={typeof run.parameters[one] === "number" ? "num" : ""}>{one in run.parameters ? json(run.parameters[one]) : "–"}</td>)}</tr>)}</tbody>
              </table></div>
              <ol class="preview-lines">{preview.runs.map((run) => <li><code>{run.command_line}</code><Copy text={run.command_line} label="Copy the command line" /></li>)}</ol>
            </section>
          )}
        </aside>
      </div>
    </div>
  );
}
