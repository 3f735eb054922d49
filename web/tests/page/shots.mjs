// SPDX-License-Identifier: Apache-2.0
// Pictures of the pages to look at: node tests/page/shots.mjs [FOLDER [NAME...]]
import { mkdirSync } from "node:fs";
import { launch, open, scrolled, serve, settled, SWEEPS } from "./browser.mjs";
import { PAGES } from "./pages.mjs";

const [folder = "shots", ...only] = process.argv.slice(2);
mkdirSync(folder, { recursive: true });
const server = await serve(["--still"]);
const browser = await launch();
try {
  for (const { name, hash, sizes = [375, 1280, 1920], themes = ["light", "dark"], before } of PAGES) {
    if (only.length && !only.some((one) => name.startsWith(one))) continue;
    for (const width of sizes) {
      for (const theme of themes) {
        const { page, faults, context } = await open(browser, server.address, { width, height: width < 500 ? 800 : 1000, dark: theme === "dark" });
        await page.goto(server.address + hash(SWEEPS));
        await settled(page);
        await scrolled(page);
        await before?.(page);
        await page.screenshot({ path: `${folder}/${name}-${width}-${theme}.png`, fullPage: true });
        if (faults.length) console.log(name, width, theme, faults);
        await context.close();
      }
    }
  }
} finally {
  await browser.close();
  server.stop();
}
