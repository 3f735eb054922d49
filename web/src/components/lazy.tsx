// SPDX-License-Identifier: Apache-2.0
// Pages that are fetched when they are first looked at. (preact/compat has this, too; it is all that would be used of it.)
import { createContext, type ComponentType, type ComponentChildren } from "preact";
import { useContext, useEffect, useState } from "preact/hooks";
import { Failure } from "./links";

const Fallback = createContext<ComponentChildren>(null);

export function Suspense({ fallback, children }: { fallback: ComponentChildren; children: ComponentChildren }) {
  return <Fallback.Provider value={fallback}>{children}</Fallback.Provider>;
}

export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  let loaded: ComponentType<P> | null = null;
  let loading: Promise<void> | null = null;
  return function Lazy(props: P) {
    const [, done] = useState(0);
    const [error, setError] = useState("");
    const fallback = useContext(Fallback);
    useEffect(() => {
      if (loaded) return;
      loading ??= load().then((component) => void (loaded = component));
      loading.then(() => done(1), () => {
        loading = null;
        setError("This page could not be fetched; is the server still there?");
      });
    }, []);
    if (error) return <Failure message={error} again={() => location.reload()} />;
    const Loaded = loaded;
    return Loaded ? <Loaded {...props} /> : <>{fallback}</>;
  };
}
