// SPDX-License-Identifier: Apache-2.0
// `hdrive report` opened from disk: no network, no server, all its charts, and on paper.
import assert from "node:assert/strict";
import { statSync } from "node:fs";
import { join } from "node:path";
import { pathToFileURL } from "node:url";
import { open, scrolled, settled, accessible, NO_MODEL } from "./browser.mjs";

export const REPORTS = [
  {
    name: "a report opens from disk with all its charts and prints",
    async body({ world, browser, sweeps }) {
      const file = join(world.folder, "report.html");
      await world.hdrive("report", sweeps.large, "-o", file);
      const address = String(pathToFileURL(file));
      const { page, faults, context } = await open(browser, address, { width: 1280, height: 900 });
      try {
        await context.setOffline(true);
        await page.goto(address);
        await settled(page);
        await scrolled(page);
        const charts = await page.evaluate(() => [...document.querySelectorAll(".chart")].map((chart) => ({
          name: chart.getAttribute("aria-label"),
          said: chart.querySelector(".chart-message")?.textContent ?? "",
          // Whether any canvas of it has a drop of colour.
          drawn: [...chart.querySelectorAll("canvas")].some((canvas) => {
            const copy = new OffscreenCanvas(canvas.width || 1, canvas.height || 1), context = copy.getContext("2d");
            if (!canvas.width || !canvas.height) return false;
            context.drawImage(canvas, 0, 0);
            return context.getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0);
          }),
        })));
        assert.ok(charts.length >= 11, JSON.stringify(charts));
        assert.deepEqual(charts.filter((chart) => !chart.drawn && !NO_MODEL.test(chart.said)).map((chart) => chart.name), []);
        assert.equal(await page.locator(".actions button").count(), 0, "a report does nothing");
        await accessible(page);
        const pdf = await page.pdf({ format: "A4", printBackground: true });
        assert.equal(pdf.subarray(0, 5).toString(), "%PDF-");
        assert.ok(pdf.length > 50_000, `${pdf.length} bytes on paper`);
        // Nothing of it is cut off at the paper's side.
        await page.emulateMedia({ media: "print" });
        await page.setViewportSize({ width: 794, height: 1123 });
        const spill = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(spill <= 0, `${spill} pixels stand beside the paper`);
        assert.ok(statSync(file).size < 20e6);
        assert.deepEqual(faults, []);
      } finally {
        await context.close();
      }
    },
  },
];
