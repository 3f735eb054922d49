// SPDX-License-Identifier: Apache-2.0
// What a run writes, while it writes it. At first the end alone is read; what was before it on request.
import { useEffect, useRef, useState } from "preact/hooks";
import { bytes } from "../data/format";
import type { Source } from "../data/source";
import { Failure } from "./links";
import { LogView } from "./log_view";

const PART = 262144;
const EVERY_MS = 1000;

export function RunLogs({ source, id, run, running, attempt }: { source: Source; id: string; run: number; running: boolean; attempt: number }) {
  const [stream, setStream] = useState<"stdout" | "stderr">("stdout");
  const [text, setText] = useState("");
  const [before, setBefore] = useState(0);
  const [error, setError] = useState("");
  const place = useRef({ from: 0, next: 0 });
  useEffect(() => {
    if (!source.live) return;
    let over = false;
    let timer = 0;
    const read = async (first: boolean) => {
      try {
        const part = await source.log(id, run, stream, first ? 0 : place.current.next, PART, first);
        if (over) return;
        if (first) {
          place.current.from = part.from;
          setBefore(part.from);
        }
        if (part.next !== place.current.next || first) {
          place.current.next = part.next;
          setText((known) => (first ? part.text : known + part.text));
        }
        setError("");
        // The end of what there is now; a run that trains writes on.
        if (running) timer = window.setTimeout(() => void read(false), !part.end ? 0 : document.hidden ? EVERY_MS * 10 : EVERY_MS);
      } catch (failure) {
        if (over) return;
        setError((failure as Error).message);
        if (running) timer = window.setTimeout(() => void read(first), EVERY_MS * 3);
      }
    };
    setText("");
    void read(true);
    return () => {
      over = true;
      clearTimeout(timer);
    };
  }, [source, id, run, stream, running, attempt]);
  const earlier = async () => {
    const from = Math.max(0, place.current.from - PART);
    try {
      const part = await source.log(id, run, stream, from, place.current.from - from);
      place.current.from = from;
      setBefore(from);
      setText((known) => part.text + known);
    } catch (failure) {
      setError((failure as Error).message);
    }
  };
  if (!source.live) return null;
  return (
    <section class="panel run-part" aria-label="Output">
      {error && <Failure message={error} />}
      <LogView text={text} file={`${id}_${run}-${stream}.txt`} title={stream} empty={`Nothing was written to ${stream}${running ? " yet" : ""}.`} controls={<>
        {before > 0 && <button type="button" class="toggle" onClick={() => void earlier()}>{bytes(before)} before</button>}
        {(["stdout", "stderr"] as const).map((name) => <button type="button" class="toggle" aria-pressed={stream === name} onClick={() => setStream(name)}>{name}</button>)}
      </>} />
    </section>
  );
}
