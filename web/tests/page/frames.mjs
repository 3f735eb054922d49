// SPDX-License-Identifier: Apache-2.0
// How fluid the page is at 10^5 runs: times to the first paint and to the whole page, and the time between frames while an axis of the
// parallel coordinates is brushed and the scatter is brushed.  node tests/page/frames.mjs [huge|large|live]
import { launch, open, serve, settled, SWEEPS } from "./browser.mjs";

const which = process.argv[2] ?? "huge";
const server = await serve(["--still"]);
const browser = await launch();

const quantile = (list, share) => [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(share * list.length))];

async function brushing(page, selector, x, from, to) {
  const element = page.locator(selector).first();
  await element.scrollIntoViewIfNeeded();
  await settled(page);
  const box = await element.boundingBox();
  await page.evaluate(() => {
    globalThis.frames_ = [];
    let last = performance.now();
    const tick = (now) => {
      globalThis.frames_.push(now - last);
      last = now;
      globalThis.handle_ = requestAnimationFrame(tick);
    };
    globalThis.handle_ = requestAnimationFrame(tick);
  });
  await page.mouse.move(box.x + x[0] * box.width, box.y + from * box.height);
  await page.mouse.down();
  for (let i = 1; i <= 90; ++i) {
    const t = (1 - Math.cos((i / 90) * 3 * Math.PI)) / 2;
    await page.mouse.move(box.x + (x[0] + (x[1] - x[0]) * t) * box.width, box.y + (from + (to - from) * t) * box.height);
  }
  await page.mouse.up();
  const frames = await page.evaluate(() => {
    cancelAnimationFrame(globalThis.handle_);
    return globalThis.frames_.slice(2);
  });
  return `p50 ${quantile(frames, 0.5).toFixed(1)} ms, p95 ${quantile(frames, 0.95).toFixed(1)} ms, most ${Math.max(...frames).toFixed(1)} ms over ${frames.length} frames`;
}

try {
  // The server makes its sweep at the first question, which is not the page's time.
  for (const path of ["sweeps", `sweeps/${SWEEPS[which]}`, `sweeps/${SWEEPS[which]}/columns`]) await (await fetch(`${server.address}api/v1/${path}`)).arrayBuffer();
  const { page, faults } = await open(browser, server.address, { width: 1280, height: 900 });
  const begin = Date.now();
  await page.goto(`${server.address}#/sweeps/${SWEEPS[which]}`);
  await page.locator(".figure-best").waitFor();
  console.log(`header after ${Date.now() - begin} ms`);
  await settled(page);
  console.log(`page after ${Date.now() - begin} ms; first paint ${await page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime.toFixed(0))} ms`);
  const side = await page.evaluate(() => { const plot = document.querySelector(".parallel-plot"); return 46 / plot.clientWidth; });
  console.log("parallel coordinates:", await brushing(page, ".parallel-plot", [side, side], 0.2, 0.75));
  await page.evaluate(() => document.querySelector(".selection-bar .toggle")?.click());
  console.log("scatter:", await brushing(page, "section[aria-label=Scatter] .plot", [0.3, 0.8], 0.2, 0.8));
  const memory = await page.evaluate(() => performance.memory?.usedJSHeapSize);
  if (memory) console.log(`heap ${(memory / 1e6).toFixed(0)} MB`);
  if (faults.length) console.log(faults);
} finally {
  await browser.close();
  server.stop();
}
