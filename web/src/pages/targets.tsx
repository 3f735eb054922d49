// SPDX-License-Identifier: Apache-2.0
// Where runs can be sent to, how full each place is, and forms to make, try and remove one.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { CommandResult, TargetList, TargetOption } from "../api/types";
import { ask, runCommand, type Field } from "../components/command_dialog";
import { Failure, Loading } from "../components/links";
import { Menu } from "../components/menu";
import { about } from "../app";
import type { Source } from "../data/source";

type Target = TargetList["targets"][number];
type TargetType = TargetList["types"][number];

export function fieldOf(option: TargetOption): Field {
  const standard = option.default === null ? "" : `, else ${typeof option.default === "string" ? option.default : JSON.stringify(option.default)}`;
  return {
    key: option.name, label: `${option.name.replace(/_/g, " ")}${option.required ? " *" : ""}`, value: "", hint: option.description + standard,
    numeric: option.kind === "integer" || option.kind === "number",
    choices: option.choices ? ["", ...option.choices] : option.kind === "boolean" ? ["", "true", "false"] : undefined,
  };
}

/** The command's words for a new target: hosts by --host, all else by --set. */
export function createArguments(name: string, type: string, options: TargetOption[], values: Record<string, string>): string[] {
  const args = ["target", "create", name || "NAME", ...(type === "ssh" ? [] : ["--type", type])];
  for (const option of options) {
    const value = values[option.name]?.trim();
    if (!value) continue;
    if (option.name === "host" || option.name === "hosts") for (const host of value.split(/[\s,]+/)) args.push("--host", host);
    else args.push("--set", `${option.name}=${value}`);
  }
  return args;
}

function Load({ target }: { target: Target }) {
  const { slots, in_use } = target;
  if (slots === null) return <span class="quiet">{in_use === null ? "–" : `${in_use} ${in_use === 1 ? "run" : "runs"} there`}</span>;
  const used = in_use ?? 0;
  const shown = Math.min(slots, 32);
  return (
    <span class="slots" role="img" aria-label={`${used} of ${slots} slots in use`} title={`${used} of ${slots} slots in use`}>
      <span class="slot-marks">{Array.from({ length: shown }, (_, i) => <i key={i} class={i < Math.round((used * shown) / slots) ? "used" : ""} />)}</span>
      <span class="quiet">{used} of {slots}</span>
    </span>
  );
}

export function TargetsPage(_props: { source: Source }) {
  const [list, setList] = useState<TargetList | null>(null);
  const [error, setError] = useState("");
  const [testing, setTesting] = useState("");
  const [results, setResults] = useState<Record<string, CommandResult>>({});
  const load = () => api.targets().then((told) => { setList(told); setError(""); }, (failure) => setError(failure.message));
  useEffect(() => {
    document.title = "Targets – hdrive";
    void load();
    const timer = setInterval(() => { if (!document.hidden) void load(); }, 5000);
    return () => clearInterval(timer);
  }, []);
  if (error && !list) return <div class="page"><Failure message={error} again={() => void load()} /></div>;
  if (!list) return <div class="page"><Loading what="Looking at the targets" /></div>;
  const create = (type: TargetType) => ask({
    title: `A new target: ${type.type}`, text: type.description, action: "Create",
    fields: [{ key: "name!", label: "name *", value: "", hint: "by which sweeps say target: NAME" }, ...type.options.map(fieldOf)],
    args: (values) => createArguments(values["name!"].trim(), type.type, type.options, values),
    ready: (values) => Boolean(values["name!"].trim()) && type.options.every((option) => !option.required || values[option.name]?.trim()),
    done: () => void load(),
  });
  const test = async (target: Target) => {
    setTesting(target.name);
    const result = await runCommand(["target", "test", target.name]);
    setTesting("");
    if (result) setResults((known) => ({ ...known, [target.name]: result }));
  };
  const readOnly = about.value?.read_only ?? false;
  return (
    <div class="page">
      <div class="page-head">
        <h1>Targets</h1>
        <div class="page-head-end">
          {list.types.length > 0 && <Menu label="New target" text="New target" icon="caret" items={list.types.map((type) => ({ text: type.type, run: () => create(type) }))} />}
        </div>
      </div>
      <ul class="panel target-list">
        {list.targets.map((target) => (
          <li key={target.name}>
            <div class="target-name"><b>{target.name}</b><span class="quiet">{target.type}{target.description && `: ${target.description}`}</span></div>
            <Load target={target} />
            <dl class="target-options">
              {Object.entries(target.options).map(([key, value]) => <div><dt>{key.replace(/_/g, " ")}</dt><dd>{Array.isArray(value) ? value.map((one) => (typeof one === "string" ? one : JSON.stringify(one))).join(", ") : typeof value === "string" ? value : JSON.stringify(value)}</dd></div>)}
              {target.file && <div><dt>written in</dt><dd class="mono">{target.file}</dd></div>}
            </dl>
            <div class="actions">
              {!readOnly && <button type="button" class="button" disabled={testing !== ""} aria-busy={testing === target.name} onClick={() => void test(target)}>{testing === target.name ? "Testing" : "Test"}</button>}
              {target.file && <Menu label={`More about ${target.name}`} icon="more" items={[
                { text: "Change a key", run: () => ask({ title: `Change ${target.name}`, action: "Update", fields: [{ key: "key", label: "key", value: "", hint: "dotted ones too: hosts.0.port" }, { key: "value", label: "value", value: "" }],
                    args: (values) => ["target", "update", target.name, "--set", `${values.key.trim() || "KEY"}=${values.value.trim()}`], ready: (values) => Boolean(values.key.trim()), done: () => void load() }) },
                { text: "Delete", run: () => ask({ title: `Delete ${target.name}?`, text: `It is removed from ${target.file}. Runs that are there go on.`, action: "Delete", danger: true, args: () => ["target", "delete", target.name], done: () => void load() }) },
              ]} />}
            </div>
            {target.problem && <p class="damaged">{target.problem}</p>}
            {results[target.name] && <pre class={`test-result wrap ${results[target.name].exit_code ? "bad" : ""}`}>{(results[target.name].output + results[target.name].errors).trim()}</pre>}
          </li>
        ))}
      </ul>
      <p class="hint after">A sweep goes to a target by <code>target: NAME</code> in its configuration, or to several by a list of names.</p>
    </div>
  );
}
