// SPDX-License-Identifier: Apache-2.0
// The page in a browser against the mock server: every page without an error, without a request elsewhere and without a serious fault of
// axe-core; brushing, hovering, opening, actions, live updates, a lost connection.
//   node tests/page/run.mjs [NAME...]
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import assert from "node:assert/strict";
import { launch, open, scrolled, serve, settled, SWEEPS } from "./browser.mjs";
import { PAGES } from "./pages.mjs";
import { FLOWS } from "./flows.mjs";

const axe = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const only = process.argv.slice(2);
const wanted = (name) => !only.length || only.some((one) => name.includes(one));
let failed = 0;

async function check(name, body) {
  if (!wanted(name)) return;
  const start = Date.now();
  try {
    await body();
    console.log(`ok    ${name} (${Date.now() - start} ms)`);
  } catch (error) {
    ++failed;
    console.log(`FAIL  ${name}\n${error.stack ?? error}`);
  }
}

async function accessible(page) {
  // The policy forbids scripts from elsewhere; evaluated by the debugger it is not the page's own.
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  assert.deepEqual(serious.map((v) => `${v.id}: ${v.help}; ${v.nodes.slice(0, 4).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`).join(" | ")}`), []);
}

const server = await serve(["--still"]);
const browser = await launch();
try {
  for (const { name, hash, themes = ["light", "dark"] } of PAGES) {
    for (const theme of themes) {
      for (const width of name === "sweep-huge" ? [1280] : [375, 1280]) {
        await check(`page ${name} ${width} ${theme}`, async () => {
          const { page, faults, context } = await open(browser, server.address, { width, dark: theme === "dark" });
          try {
            await page.goto(server.address + hash(SWEEPS));
            await settled(page);
            await scrolled(page);
            const spill = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
            assert.ok(spill <= 0, `the page is ${spill} pixels wider than the window`);
            assert.equal(await page.evaluate(() => document.querySelectorAll("main script, main [onerror], main b > script").length), 0);
            await accessible(page);
            assert.deepEqual(faults, []);
          } finally {
            await context.close();
          }
        });
      }
    }
  }
  for (const { name, options, body, alive } of FLOWS) {
    await check(`flow ${name}`, async () => {
      const own = alive ? await serve(alive === true ? [] : alive) : server;
      const { page, faults, context } = await open(browser, own.address, options);
      try {
        await body({ page, address: own.address, sweeps: SWEEPS, faults, server: own });
      } finally {
        await context.close();
        if (alive) own.stop();
      }
    });
  }
} finally {
  await browser.close();
  server.stop();
}
process.exitCode = failed ? 1 : 0;
console.log(failed ? `${failed} failed` : "all well");
