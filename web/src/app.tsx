// SPDX-License-Identifier: Apache-2.0
// The frame around all pages: where one is, whether the server is there, and the page itself.
import { signal } from "@preact/signals";
import { lazy, Suspense } from "./components/lazy";
import { useEffect } from "preact/hooks";
import type { About } from "./api/types";
import { CommandDialog } from "./components/command_dialog";
import { Failure, Loading } from "./components/links";
import { route } from "./components/router";
import { Toasts } from "./components/toasts";
import type { Source } from "./data/source";
import { CompareRunsPage } from "./pages/compare_runs";
import { RunPage } from "./pages/run";
import { SweepPage } from "./pages/sweep";
import { SweepsPage } from "./pages/sweeps";

// A report is one file without these: what it shows must be here from the start.
const CompareSweepsPage = lazy(() => import("./pages/compare_sweeps").then((module) => module.CompareSweepsPage));
const TargetsPage = lazy(() => import("./pages/targets").then((module) => module.TargetsPage));
const NewSweepPage = lazy(() => import("./pages/new_sweep").then((module) => module.NewSweepPage));

export const about = signal<About | null>(null);
export const connected = signal(true);
/** The server said that it ends. */
export const over = signal(false);
const failure = signal("");

function Page({ source }: { source: Source }) {
  const { parts, query } = route.value;
  const [first, id, what, run] = parts;
  if (first === "sweeps" && id && what === "runs" && run) return <RunPage key={`${id}/${run}`} source={source} id={id} run={Number(run)} />;
  if (first === "sweeps" && id && what === "compare")
    return <CompareRunsPage key={`${id}/${query.get("runs")}`} source={source} id={id} runs={(query.get("runs") ?? "").split(",").filter(Boolean).map(Number).slice(0, 20)} />;
  if (first === "sweeps" && id) return <SweepPage key={id} source={source} id={id} tab={what ?? "charts"} />;
  if (first === "compare") return <CompareSweepsPage key={query.get("sweeps") ?? ""} source={source} ids={(query.get("sweeps") ?? "").split(",").filter(Boolean).slice(0, 8)} />;
  if (first === "targets") return <TargetsPage source={source} />;
  if (first === "new") return <NewSweepPage />;
  return <SweepsPage source={source} />;
}

const LINKS: [string, string][] = [["", "Sweeps"], ["targets", "Targets"], ["new", "New sweep"]];

export function App({ source }: { source: Source }) {
  useEffect(() => {
    const load = () => source.about().then((told) => { about.value = told; failure.value = ""; }, (error) => (failure.value = error.message));
    void load();
    // A report has one sweep, and that is its first page.
    if (!source.live && !route.value.parts.length) void source.sweeps().then(({ sweeps }) => (location.hash = `#/sweeps/${sweeps[0].id}`));
  }, [source]);
  const [first = ""] = route.value.parts;
  return (
    <>
      <a class="skip" href="#main" onClick={(event) => { event.preventDefault(); document.getElementById("main")?.focus(); }}>To the page</a>
      <header class="bar">
        <a class="brand" href="#/" aria-label="hdrive, all sweeps">
          <svg viewBox="0 0 32 20" width="30" height="19" aria-hidden="true" fill="none" stroke-linecap="round">
            <path class="brand-a" d="M2 18C8 18 8 6 15 6S21 12 29 3" /><path class="brand-b" d="M2 11C7 11 8 16 14 16S22 14 29 16" /><circle class="brand-c" cx="29" cy="3" r="2.6" />
          </svg>
          hdrive
        </a>
        {source.live && (
          <nav aria-label="Pages">
            {LINKS.map(([path, text]) => {
              const here = path === first || (path === "" && (first === "sweeps" || first === "compare"));
              return <a href={`#/${path}`} aria-current={here ? "page" : undefined}>{text}</a>;
            })}
          </nav>
        )}
        <div class="bar-end">
          {about.value?.read_only && <span class="tag" title="Started with --read-only: nothing can be changed from here">read-only</span>}
          {about.value && <span class="host" title={about.value.home}>{about.value.host}</span>}
        </div>
      </header>
      {over.value ? (
        <div class="lost over" role="status">
          <span>{about.value?.ends_with ? "The sweep has ended, and its page with it." : "hdrive ui has been ended."} What is shown is the last there was; <code>hdrive ui{about.value?.home_hint ?? ""}</code> shows it again.</span>
        </div>
      ) : !connected.value && source.live && (
        <div class="lost" role="status"><i aria-hidden="true" />The connection is lost. What is shown may be old; trying again.</div>
      )}
      <main id="main" tabIndex={-1}>
        {failure.value && !about.value ? <div class="page"><Failure message={failure.value} again={() => location.reload()} /></div>
          : <Suspense fallback={<div class="page"><Loading what="One moment" /></div>}><Page source={source} /></Suspense>}
      </main>
      <CommandDialog />
      <Toasts />
    </>
  );
}
