// SPDX-License-Identifier: Apache-2.0
// What the engine did with the sweep, as `hdrive logs --controller` has it.
import { useEffect, useRef, useState } from "preact/hooks";
import { Failure, Loading } from "../components/links";
import type { SweepStore } from "../data/sweep_store";
import { LogView } from "../components/log_view";

export function LogTab({ store }: { store: SweepStore }) {
  const [text, setText] = useState<string | null>(null);
  const [error, setError] = useState("");
  const next = useRef(0);
  const runs = store.runs.version.value;
  useEffect(() => {
    let over = false;
    const read = async () => {
      try {
        for (;;) {
          const part = await store.source.controllerLog(store.id, next.current);
          if (over) return;
          setText((known) => (known ?? "") + part.text);
          if (part.next === next.current || part.end) {
            next.current = part.next;
            return;
          }
          next.current = part.next;
        }
      } catch (failure) {
        setError((failure as Error).message);
      }
    };
    void read();
    return () => {
      over = true;
    };
  }, [store, runs]);
  if (error) return <Failure message={error} />;
  if (text === null) return <Loading what="Reading the log" />;
  return <section class="panel"><LogView text={text} file={`${store.id}-engine.log`} title="Engine log" /></section>;
}
