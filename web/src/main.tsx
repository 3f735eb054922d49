// SPDX-License-Identifier: Apache-2.0
import { render } from "preact";
import { App } from "./app";
import { EmbeddedSource, HttpSource } from "./data/source";
import "./style/tokens.css";
import "./style/base.css";
import "./style/parts.css";
import "./style/pages.css";

// The token of the first address has become a cookie; it need not stand where it is seen or copied.
if (location.search.includes("token=")) history.replaceState(null, "", location.pathname + location.hash);

render(<App source={EmbeddedSource.find(document) ?? new HttpSource()} />, document.getElementById("page")!);
