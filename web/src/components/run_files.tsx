// SPDX-License-Identifier: Apache-2.0
// A run's files, shown in place where they can be: images (of several steps as a strip), text, CSV, JSON. HTML that a script wrote is drawn in a
// frame without scripts, forms or this page's origin.
import { useEffect, useState } from "preact/hooks";
import { api } from "../api/client";
import type { FileEntry } from "../api/types";
import { bytes } from "../data/format";
import { Lines } from "../pages/sweep_configuration";
import type { Source } from "../data/source";
import { Failure, Loading } from "./links";

const MOST_TEXT = 200_000;
const MOST_ROWS = 300;

export function parseCsv(text: string): string[][] {
  const rows: string[][] = [[]];
  let cell = "", quoted = false;
  for (let i = 0; i < text.length; ++i) {
    const c = text[i];
    if (quoted) {
      if (c !== '"') cell += c;
      else if (text[i + 1] === '"') cell += text[++i];
      else quoted = false;
    } else if (c === '"' && cell === "") quoted = true;
    else if (c === "," || c === "\n") {
      rows[rows.length - 1].push(cell.replace(/\r$/, ""));
      cell = "";
      if (c === "\n") rows.push([]);
    } else cell += c;
  }
  if (cell || rows[rows.length - 1].length) rows[rows.length - 1].push(cell);
  return rows.filter((row) => row.length);
}

function TextFile({ id, run, file }: { id: string; run: number; file: FileEntry }) {
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    let over = false;
    setText(null);
    api.fileText(id, run, file.path, MOST_TEXT).then((told) => over || setText(told), (failure) => over || setError(failure.message));
    return () => {
      over = true;
    };
  }, [id, run, file.path, file.modified]);
  if (error) return <Failure message={error} />;
  if (text === null) return <Loading what="Reading the file" />;
  const more = file.size > MOST_TEXT && <p class="hint file-more">The first {bytes(MOST_TEXT)} of {bytes(file.size)}.</p>;
  if (file.kind === "csv") {
    const [head = [], ...rows] = parseCsv(text);
    return <div class="chart-table" tabIndex={0} role="region" aria-label={file.path}><table><thead><tr>{head.map((cell) => <th scope="col">{cell}</th>)}</tr></thead>
      <tbody>{rows.slice(0, MOST_ROWS).map((row) => <tr>{row.map((cell) => <td class={cell !== "" && !Number.isNaN(Number(cell)) ? "num" : ""}>{cell}</td>)}</tr>)}</tbody></table>{more}</div>;
  }
  let shown = text;
  if (file.kind === "json" && file.size <= MOST_TEXT) {
    try {
      shown = JSON.stringify(JSON.parse(text), null, 2);
    } catch {
      // Shown as it is.
    }
  }
  return <><Lines text={shown} />{more}</>;
}

export function RunFiles({ source, id, run, running }: { source: Source; id: string; run: number; running: boolean }) {
  const [files, setFiles] = useState<FileEntry[] | null>(null);
  const [more, setMore] = useState(false);
  const [error, setError] = useState("");
  const [open, setOpen] = useState<string | null>(null);
  useEffect(() => {
    if (!source.live) return;
    let over = false;
    let timer = 0;
    const read = async () => {
      try {
        const told = await source.files(id, run);
        if (over) return;
        setFiles(told.files);
        setMore(told.more);
      } catch (failure) {
        if (!over) setError((failure as Error).message);
      }
      if (running && !over) timer = window.setTimeout(() => void read(), document.hidden ? 60_000 : 5000);
    };
    void read();
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [source, id, run, running]);
  if (!source.live) return null;
  if (error) return <Failure message={error} />;
  const images = (files ?? []).filter((file) => file.kind === "image").sort((a, b) => (a.step ?? 0) - (b.step ?? 0) || a.path.localeCompare(b.path));
  const rest = (files ?? []).filter((file) => file.kind !== "image");
  const address = (file: FileEntry, render = false) => api.fileAddress(id, run, file.path, render);
  return (
    <section class="panel run-part" aria-label="Files">
      <header class="chart-head"><h2>Files <span class="quiet">{files?.length ?? ""}</span></h2></header>
      {files && !files.length && <p class="chart-message">The run has written no files{running ? " yet" : ""}.</p>}
      {images.length > 0 && (
        <div class="image-strip" tabIndex={0} role="region" aria-label="Images">
          {images.map((file) => (
            <figure key={file.path}>
              <a href={address(file)} target="_blank" rel="noreferrer"><img src={address(file)} alt={file.path} loading="lazy" /></a>
              <figcaption>{file.step !== null && <b>step {file.step}</b>} <span class="quiet">{file.path.split("/").pop()}</span></figcaption>
            </figure>
          ))}
        </div>
      )}
      <ul class="file-list">
        {rest.map((file) => {
          const shows = ["text", "csv", "json", "html"].includes(file.kind);
          return (
            <li key={file.path}>
              <div class="file-row">
                {shows ? <button type="button" class="file-name" aria-expanded={open === file.path} onClick={() => setOpen(open === file.path ? null : file.path)}>{file.path}</button> : <span class="file-name">{file.path}</span>}
                <span class="quiet">{bytes(file.size)}</span>
                <a href={address(file)} download={file.path.split("/").pop()}>download</a>
              </div>
              {open === file.path && (file.kind === "html"
                ? <iframe class="file-frame" sandbox="" src={address(file, true)} title={file.path} />
                : <TextFile id={id} run={run} file={file} />)}
            </li>
          );
        })}
      </ul>
      {more && <p class="hint file-more">There are more files; the directory has all of them.</p>}
    </section>
  );
}
