// SPDX-License-Identifier: Apache-2.0
// Whatever the page does is a verb of the command. The dialog shows its line, asks what has to be asked, runs it on the server and tells
// what the command said; where the server is read-only the line is there to copy.
import { signal } from "@preact/signals";
import { useEffect, useRef, useState } from "preact/hooks";
import { about } from "../app";
import { api } from "../api/client";
import type { CommandResult } from "../api/types";
import { shellWord } from "../data/format";
import { CommandLine } from "./links";
import { toast } from "./toasts";

export interface Field {
  key: string;
  label: string;
  /** What stands in it at first; what is left as it was, or empty, is not said to the command. */
  value: string;
  hint?: string;
  choices?: string[];
  numeric?: boolean;
}

export interface Question {
  title: string;
  text?: string;
  /** On the button. */
  action: string;
  danger?: boolean;
  fields?: Field[];
  /** The command's words for what was filled in. */
  args(values: Record<string, string>): string[];
  /** Whether there is something to do with these values. */
  ready?(values: Record<string, string>): boolean;
  input?: string;
  done?(result: CommandResult): void;
}

const asking = signal<Question | null>(null);

export function ask(question: Question): void {
  asking.value = question;
}

export function lineOf(args: string[], input?: string): string {
  return `hdrive ${args.map(shellWord).join(" ")}${about.value?.home_hint ?? ""}${input !== undefined ? " < hdconfig.yml" : ""}`;
}

/** Runs a command and tells what it said. */
export async function runCommand(args: string[], input?: string): Promise<CommandResult | null> {
  try {
    const result = await api.command(args, input ?? null);
    const words = [result.output, result.errors].map((text) => text.trim()).filter(Boolean).join("\n");
    toast(result.exit_code === 0 ? "done" : "error", words || (result.exit_code === 0 ? `${args[0]}: done` : `${args[0]} ended with ${result.exit_code}`));
    return result;
  } catch (error) {
    toast("error", (error as Error).message);
    return null;
  }
}

export function CommandDialog() {
  const question = asking.value;
  return question ? <Dialog key={question.title} question={question} /> : null;
}

function Dialog({ question }: { question: Question }) {
  const box = useRef<HTMLDialogElement>(null);
  const [values, setValues] = useState<Record<string, string>>(() => Object.fromEntries((question.fields ?? []).map((field) => [field.key, field.value])));
  const [busy, setBusy] = useState(false);
  useEffect(() => {
    box.current!.showModal();
    const first = box.current!.querySelector<HTMLElement>("input, select") ?? box.current!.querySelector<HTMLElement>(".dialog-foot button");
    first?.focus();
  }, []);
  const close = () => (asking.value = null);
  const args = question.args(values);
  const readOnly = about.value?.read_only ?? false;
  const can = !readOnly && !busy && (question.ready?.(values) ?? true);
  const submit = async (event: Event) => {
    event.preventDefault();
    if (!can) return;
    setBusy(true);
    const result = await runCommand(args, question.input);
    setBusy(false);
    // What was refused can be mended: the form stays.
    if (!result || result.exit_code !== 0) return;
    close();
    question.done?.(result);
  };
  return (
    <dialog ref={box} class="dialog" aria-label={question.title} onClose={close} onClick={(event) => { if (event.target === box.current) box.current?.close(); }}>
      <form onSubmit={submit}>
        <h2>{question.title}</h2>
        {question.text && <p class="quiet">{question.text}</p>}
        {question.fields && (
          <div class="fields">
            {question.fields.map((field) => (
              <label key={field.key} class="field">
                <span>{field.label}</span>
                {field.choices ? (
                  <select value={values[field.key]} onChange={(event) => setValues({ ...values, [field.key]: event.currentTarget.value })}>
                    {field.choices.map((choice) => <option value={choice} selected={choice === values[field.key]}>{choice || "–"}</option>)}
                  </select>
                ) : (
                  <input value={values[field.key]} inputMode={field.numeric ? "decimal" : undefined} placeholder={field.hint} spellcheck={false} autocomplete="off"
                         onInput={(event) => setValues({ ...values, [field.key]: event.currentTarget.value })} />
                )}
                {field.choices && field.hint && <small>{field.hint}</small>}
              </label>
            ))}
          </div>
        )}
        <CommandLine text={lineOf(args, question.input)} />
        {readOnly && <p class="quiet">This server is read-only: copy the line and run it yourself.</p>}
        <div class="dialog-foot">
          <button type="button" class="button" onClick={close}>{readOnly ? "Close" : "Leave it"}</button>
          {!readOnly && <button type="submit" class={`button primary ${question.danger ? "danger" : ""}`} disabled={!can} aria-busy={busy}>{busy ? "Running" : question.action}</button>}
        </div>
      </form>
    </dialog>
  );
}
