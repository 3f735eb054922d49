// SPDX-License-Identifier: Apache-2.0
// Makes dist/report.html of what Vite has built: the same page as one file that opens from disk, with a place for the data of a sweep.
// What is loaded later (the editor) is not in it: a report changes nothing.
import { createHash } from "node:crypto";
import { readdirSync, readFileSync, writeFileSync } from "node:fs";
import { fileURLToPath } from "node:url";

const dist = new URL("dist/", import.meta.url);
const read = (name) => readFileSync(new URL(name, dist), "utf8");
const html = read("index.html");
const named = (pattern) => {
  const found = html.match(pattern);
  if (!found) throw new Error(`dist/index.html has nothing like ${pattern}`);
  return found;
};
const [scriptTag, scriptName] = named(/<script type="module"[^>]* src="\.\/([^"]+)"><\/script>/);
const [styleTag, styleName] = named(/<link rel="stylesheet"[^>]* href="\.\/([^"]+)">/);
const [iconTag, iconName] = named(/<link rel="icon"[^>]* href="\.\/([^"]+)" ?\/>/);
const script = read(scriptName);
if (/(^|[;}])import\s*[\w{*"']/.test(script) && /from\s*["']\.\//.test(script))
  throw new Error("the page's script needs another one from the start; a report is a single file");
// An end tag within a text of the script would end it.
const safe = script.replaceAll("</script", "<\\/script");
const style = read(styleName).replaceAll("</style", "<\\/style");
const icon = "data:image/svg+xml;base64," + Buffer.from(read(iconName)).toString("base64");
const hash = "'sha256-" + createHash("sha256").update(safe).digest("base64") + "'";
const policy = `default-src 'none'; script-src ${hash}; style-src 'unsafe-inline'; img-src data: blob:; base-uri 'none'; form-action 'none'`;
const report = html
  .replace('<meta charset="utf-8" />', () => `<meta charset="utf-8" />\n    <meta http-equiv="Content-Security-Policy" content="${policy}" />`)
  .replace(iconTag, () => `<link rel="icon" type="image/svg+xml" href="${icon}" />`)
  .replace(styleTag, () => `<style>${style}</style>`)
  .replace(scriptTag, "")
  // The data first: the script looks for it.
  .replace("</body>", () => `  <!--hdrive-report-->\n    <script type="module">${safe}</script>\n  </body>`);
if (report.split("<!--hdrive-report-->").length !== 2) throw new Error("a report has one place for its data");
writeFileSync(new URL("report.html", dist), report);
const parts = readdirSync(new URL("assets/", dist)).length;
console.log(`dist/report.html  ${(report.length / 1000).toFixed(1)} kB, of ${parts} files (${fileURLToPath(dist)})`);
