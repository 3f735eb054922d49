// SPDX-License-Identifier: Apache-2.0
// What can be done with a sweep from here.
import type { SweepDetail } from "../api/types";
import { ask, type Field } from "../components/command_dialog";
import { askEnqueue } from "../components/enqueue";
import { Icon } from "../components/icon";
import { Menu } from "../components/menu";
import { go } from "../components/router";
import { bytes } from "../data/format";
import type { SweepStore } from "../data/sweep_store";

const RESUMABLE = "Goes on from where it was: runs that survived are found again, those that were cut off are tried again.";

function updateFields(detail: SweepDetail): Field[] {
  const policy = detail.policy_settings ?? null;
  const fields: Field[] = [
    { key: "max_total_runs", label: "Runs in all", value: detail.max_total_runs === null ? "" : String(detail.max_total_runs), hint: `at least ${detail.runs}`, numeric: true },
    { key: "max_concurrent_runs", label: "Runs at once", value: String(detail.max_concurrent_runs), numeric: true },
    { key: "max_duration_minutes", label: "Minutes in all", value: "", hint: "as it is", numeric: true },
  ];
  for (const key of ["slack_factor", "slack_amount", "truncation_percentage", "evaluation_interval", "delay_evaluation"])
    if (policy && policy[key] !== undefined) fields.push({ key: `policy.${key}`, label: `Policy: ${key.replace(/_/g, " ")}`, value: String(policy[key]), numeric: true });
  return fields;
}

export function SweepActions({ store, detail }: { store: SweepStore; detail: SweepDetail }) {
  if (!store.source.live || store.gone.value || store.over.value) return null;
  const { id, name, short_id } = detail;
  const title = name || short_id;
  const done = () => void store.reload();
  const live = detail.state === "live";
  const paused = live && detail.status === "Paused";
  const fields = updateFields(detail);
  const changes = (values: Record<string, string>) =>
    fields.filter((field) => values[field.key].trim() && values[field.key].trim() !== field.value).map((field) => `${field.key}=${values[field.key].trim()}`);
  return (
    <div class="actions">
      {live && !paused && <button type="button" class="button" onClick={() => ask({ title: `Pause ${title}?`, text: "No new runs are started until it is resumed; those that train go on to their end.", action: "Pause", args: () => ["pause", id], done })}><Icon name="pause" />Pause</button>}
      {(!live || paused) && <button type="button" class="button" onClick={() => ask({
        title: `Resume ${title}?`, text: paused ? "New runs are started again." : RESUMABLE, action: "Resume",
        fields: paused ? undefined : [{ key: "max_total_runs", label: "Runs in all", value: detail.max_total_runs === null ? "" : String(detail.max_total_runs), numeric: true }],
        args: (values) => ["resume", id, ...(values.max_total_runs && values.max_total_runs !== String(detail.max_total_runs) ? ["--set", `max_total_runs=${values.max_total_runs}`] : []), ...(paused ? [] : ["--detach"])], done })}><Icon name="play" />Resume</button>}
      {live && <button type="button" class="button" onClick={() => ask({ title: `Stop ${title}?`, text: `Its ${detail.live} live ${detail.live === 1 ? "run is" : "runs are"} cancelled. Everything is kept, and it can be resumed.`, action: "Stop the sweep", danger: true, args: () => ["stop", id], done })}><Icon name="stop" />Stop</button>}
      <button type="button" class="button" onClick={() => askEnqueue(detail, done)}><Icon name="plus" />Try a point</button>
      <Menu label="More actions" icon="more" items={[
        { text: "Change limits and policy", run: () => ask({ title: `Change ${title}`, text: live ? "It goes on with the changes at once." : "The changes hold when it is resumed.", action: "Update", fields,
            args: (values) => ["update", id, ...changes(values).flatMap((change) => ["--set", change])], ready: (values) => changes(values).length > 0, done }) },
        { text: "Delete", hidden: live, run: () => ask({ title: `Delete ${title}?`, text: `Its ${detail.runs} runs, their logs and outputs are gone for good${detail.size_bytes ? `: ${bytes(detail.size_bytes)}` : ""}.`, action: "Delete for good", danger: true,
            args: () => ["delete", id, "--yes"], done: () => go("#/") }) },
      ]} />
    </div>
  );
}
