// SPDX-License-Identifier: Apache-2.0
// The page in a browser against the mock server: every page without an error, without a request elsewhere and without a serious fault of
// axe-core; brushing, hovering, opening, actions, live updates, a lost connection.
//   node tests/page/run.mjs [NAME...]
import assert from "node:assert/strict";
import { accessible, Checks, fits, launch, open, scrolled, serve, settled, SWEEPS } from "./browser.mjs";
import { PAGES } from "./pages.mjs";
import { FLOWS } from "./flows.mjs";

const checks = new Checks(process.argv.slice(2));
const server = await serve(["--still"]);
const browser = await launch();
try {
  for (const { name, hash, themes = ["light", "dark"] } of PAGES) {
    for (const theme of themes) {
      for (const width of name === "sweep-huge" ? [1280] : [375, 1280]) {
        await checks.run(`page ${name} ${width} ${theme}`, async () => {
          const { page, faults, context } = await open(browser, server.address, { width, dark: theme === "dark" });
          try {
            await page.goto(server.address + hash(SWEEPS));
            await settled(page);
            await scrolled(page);
            await fits(page);
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
    await checks.run(`flow ${name}`, async () => {
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
checks.end();
