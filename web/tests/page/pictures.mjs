// SPDX-License-Identifier: Apache-2.0
// The pictures that docs/ui.md and the README show.
import { join } from "node:path";
import { scrolled, settled } from "./browser.mjs";

const PICTURES = [
  { name: "sweep", hash: (s) => `#/sweeps/${s.large}`, height: 1180 },
  { name: "run", hash: (s) => `#/sweeps/${s.small}/runs/0`, height: 900 },
  { name: "compare", hash: (s) => `#/sweeps/${s.large}/compare?runs=1,20,300,4000`, height: 800 },
];

export async function takePictures({ enter, address, sweeps, folder }) {
  for (const { name, hash, height, dark } of PICTURES) {
    const { page, context } = await enter({ width: 1280, height, dark });
    await page.goto(address + hash(sweeps));
    await settled(page);
    await scrolled(page);
    // Which machine it was is nobody's business.
    await page.evaluate(() => { for (const one of document.querySelectorAll(".host")) one.textContent = "workstation"; });
    await page.screenshot({ path: join(folder, `${name}.png`), animations: "disabled", caret: "hide" });
    await context.close();
    console.log(`${name}.png`);
  }
}
