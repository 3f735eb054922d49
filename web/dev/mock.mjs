// SPDX-License-Identifier: Apache-2.0
// A server like hdrive's own with made sweeps: small, large, very large, live ones that grow. It answers the API of the portal and, with
// dist/ built, serves the page under the same strict policy.
//   node dev/mock.mjs [--port 8641] [--still]     --still: nothing grows, as for pictures
import { createServer } from "node:http";
import { readFile } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { fileURLToPath } from "node:url";
import { answer } from "./mock_api.mjs";

const argument = (name, otherwise) => {
  const at = process.argv.indexOf(name);
  return at < 0 ? otherwise : process.argv[at + 1];
};
const port = Number(argument("--port", "8641"));
const dist = fileURLToPath(new URL("../dist", import.meta.url));
export const POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'; " +
  "frame-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
const TYPES = { ".html": "text/html; charset=utf-8", ".js": "text/javascript", ".css": "text/css", ".svg": "image/svg+xml" };

createServer(async (request, response) => {
  const url = new URL(request.url, "http://localhost");
  if (url.pathname.startsWith("/api/v1/")) {
    const chunks = [];
    for await (const chunk of request) chunks.push(chunk);
    return answer(request, response, url, Buffer.concat(chunks).toString());
  }
  const path = normalize(url.pathname === "/" ? "/index.html" : url.pathname);
  try {
    const body = await readFile(join(dist, path));
    response.writeHead(200, { "Content-Type": TYPES[extname(path)] ?? "application/octet-stream", "Content-Security-Policy": POLICY,
                              "X-Content-Type-Options": "nosniff", "Cache-Control": "no-store" });
    response.end(body);
  } catch {
    response.writeHead(404).end("not here");
  }
}).listen(port, "127.0.0.1", () => console.log(`http://127.0.0.1:${port}/`));
