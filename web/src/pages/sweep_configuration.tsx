// SPDX-License-Identifier: Apache-2.0
// The configuration with its line numbers, what was changed since, and what else is known of how the sweep began.
import type { SweepDetail } from "../api/types";
import { Ago, Copy } from "../components/links";
import { highlight } from "../components/yaml";
import { number } from "../data/format";

export function Lines({ text, language }: { text: string; language?: "yaml" }) {
  const lines = text.replace(/\n$/, "").split("\n");
  return (
    <ol class="code-lines" tabIndex={0} aria-label="Text with line numbers">
      {lines.map((line) => <li><code>{language === "yaml" ? highlight(line).map(([kind, part]) => <span class={kind && `y-${kind}`}>{part}</span>) : line || " "}</code></li>)}
    </ol>
  );
}

export function ConfigurationTab({ detail }: { detail: SweepDetail }) {
  return (
    <div class="columns">
      <section class="panel">
        <header class="chart-head"><h2>{detail.config_file ?? "Configuration"}</h2><div class="chart-controls"><Copy text={detail.config} label="Copy the configuration" /></div></header>
        <Lines text={detail.config} language="yaml" />
      </section>
      <aside class="panel facts">
        <h2>How it works</h2>
        <p>{detail.sampler_text}</p>
        <p>{detail.policy_text || "No early termination: every run goes on to its end."}</p>
        <h2>Search space</h2>
        <table class="plain">
          <tbody>
            {detail.space.map((parameter) => (
              <tr><th scope="row">{parameter.name}</th>
                <td>{parameter.kind} <span class="quiet">{parameter.options ? parameter.options.map((o) => (typeof o === "string" ? o : JSON.stringify(o))).join(", ")
                  : parameter.mu !== null ? `mu ${parameter.mu}, sigma ${parameter.sigma}` : `${number(parameter.low ?? NaN)} to ${number(parameter.high ?? NaN)}`}
                  {parameter.q !== null && `, step ${parameter.q}`}{parameter.condition && `; ${parameter.condition}`}</span></td></tr>
            ))}
          </tbody>
        </table>
        <h2>Command</h2>
        <pre class="wrap">{detail.command}</pre>
        {detail.edits.length > 0 && <><h2>Changes</h2><ul class="plain">{detail.edits.map((edit) => <li>{edit.what} <span class="quiet"><Ago at={edit.time} /></span></li>)}</ul></>}
        <h2>Properties</h2>
        <table class="plain"><tbody>
          <tr><th scope="row">directory</th><td class="mono">{detail.directory}</td></tr>
          {detail.targets.length > 0 && <tr><th scope="row">targets</th><td>{detail.targets.join(", ")}</td></tr>}
          {Object.entries(detail.properties).map(([key, value]) => <tr><th scope="row">{key}</th><td class="mono">{value}</td></tr>)}
        </tbody></table>
      </aside>
    </div>
  );
}
