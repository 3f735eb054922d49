// SPDX-License-Identifier: Apache-2.0
// What a page of a sweep takes, for benchmarks/ui/run.py, which starts the servers:
//   node tests/page/measure.mjs hdrive ENTER SWEEP [WIDTH]    ENTER: the address that hdrive ui printed
//   node tests/page/measure.mjs optuna ADDRESS STUDY
//   HDRIVE_BINARY=... node tests/page/measure.mjs live         a live sweep: from a report to the screen, and what watching costs its engine
// Prints JSON. Frames twice: as the screen got them, and the processor time of the page's thread between one and the next, since on a busy
// machine the first says more of the machine.
import { readFileSync } from "node:fs";
import { launch, open, settled } from "./browser.mjs";
import { until, World } from "./world.mjs";

const [kind, ...rest] = process.argv.slice(2);
const round = (value, digits = 1) => (Number.isFinite(value) ? Number(value.toFixed(digits)) : null);

function quantiles(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const at = (share) => round(sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))]);
  return { frames: sorted.length, median: at(0.5), p95: at(0.95), most: at(1) };
}

/** Of the trace the page's thread: its processor time from each frame's beginning to the next. */
function framesOf(trace) {
  const { traceEvents: events } = JSON.parse(trace);
  const mains = new Map(events.filter((e) => e.name === "thread_name" && e.args?.name === "CrRendererMain").map((e) => [`${e.pid}/${e.tid}`, { work: 0, tasks: [], begins: [] }]));
  for (const event of events) {
    const main = mains.get(`${event.pid}/${event.tid}`);
    if (!main) continue;
    if (/RunTask$/.test(event.name) && event.tdur !== undefined) {
      main.tasks.push([event.ts, event.tdur]);
      main.work += event.tdur;
    } else if (event.name === "BeginMainThreadFrame") main.begins.push(event.ts);
  }
  const main = [...mains.values()].sort((a, b) => b.work - a.work)[0];
  const begins = main.begins.sort((a, b) => a - b), sums = new Array(begins.length).fill(0);
  for (const [at, taken] of main.tasks) {
    // The task that a frame begins in belongs to it.
    let low = 0, high = begins.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (begins[middle] <= at + 2000) low = middle + 1;
      else high = middle;
    }
    if (low > 0) sums[low - 1] += taken / 1000;
  }
  return sums;
}

/** Drags to and fro over an element, for three times, while frames are counted. */
async function dragging(browser, page, selector, from, to, { key } = {}) {
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
  await browser.startTracing(page, { categories: ["toplevel", "devtools.timeline", "devtools.timeline.frame", "disabled-by-default-devtools.timeline.frame", "benchmark", "__metadata"] });
  if (key) await page.keyboard.down(key);
  await page.mouse.move(box.x + from[0] * box.width, box.y + from[1] * box.height);
  await page.mouse.down();
  for (let i = 1; i <= 90; ++i) {
    const t = (1 - Math.cos((i / 90) * 3 * Math.PI)) / 2;
    await page.mouse.move(box.x + (from[0] + (to[0] - from[0]) * t) * box.width, box.y + (from[1] + (to[1] - from[1]) * t) * box.height);
  }
  await page.mouse.up();
  if (key) await page.keyboard.up(key);
  const trace = (await browser.stopTracing()).toString();
  const frames = await page.evaluate(() => { cancelAnimationFrame(globalThis.handle_); return globalThis.frames_.slice(2); });
  return { screen: quantiles(frames), processor: quantiles(framesOf(trace)) };
}

function resident(pid) {
  try {
    return Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))[1]) / 1024;
  } catch {
    return 0;
  }
}

async function memoryOf(browser, page) {
  const session = await browser.newBrowserCDPSession();
  const { processInfo } = await session.send("SystemInfo.getProcessInfo");
  const heap = await page.evaluate(() => performance.memory?.usedJSHeapSize ?? NaN);
  return { heap_mb: round(heap / 1e6, 0), process_mb: round(Math.max(...processInfo.filter((one) => one.type === "renderer").map((one) => resident(one.id))), 0) };
}

async function counted(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Network.enable");
  const bytes = { sum: 0 };
  session.on("Network.dataReceived", (event) => (bytes.sum += event.encodedDataLength || 0));
  session.on("Network.loadingFinished", (event) => (bytes.finished = (bytes.finished ?? 0) + event.encodedDataLength));
  return bytes;
}

const paint = (page) => page.evaluate(() => performance.getEntriesByName("first-contentful-paint")[0]?.startTime ?? NaN);

async function hdrive(enter, sweep, width = "1280") {
  const address = new URL("/", enter).href;
  const browser = await launch({ args: ["--enable-precise-memory-info"] });
  try {
    const { page, context } = await open(browser, address, { width: Number(width), height: 900 });
    // The cookie alone; what the page takes begins with a new one.
    await page.goto(enter);
    await page.close();
    const measured = await context.newPage();
    const bytes = await counted(measured);
    const begin = Date.now();
    await measured.goto(`${address}#/sweeps/${sweep}`, { waitUntil: "commit" });
    await measured.locator(".figure-best").waitFor({ timeout: 120000 });
    const header = Date.now() - begin;
    await settled(measured);
    const result = { first_paint_ms: round(await paint(measured), 0), header_ms: header, complete_ms: Date.now() - begin, bytes_sent: bytes.finished };
    const side = await measured.evaluate(() => 46 / document.querySelector(".parallel-plot").clientWidth);
    result.brushing_parallel = await dragging(browser, measured, ".parallel-plot", [side, 0.2], [side, 0.75]);
    await measured.getByRole("button", { name: "show all" }).click();
    result.brushing_scatter = await dragging(browser, measured, "section[aria-label=Scatter] .plot", [0.3, 0.2], [0.8, 0.8]);
    await measured.getByRole("button", { name: "show all" }).click();
    result.panning_curves = await dragging(browser, measured, "section[aria-label=Curves] .plot", [0.7, 0.5], [0.4, 0.6], { key: "Shift" });
    return { ...result, ...(await memoryOf(browser, measured)) };
  } finally {
    await browser.close();
  }
}

async function optuna(address, study) {
  const browser = await launch({ args: ["--enable-precise-memory-info"] });
  try {
    const { page } = await open(browser, address, { width: 1280, height: 900 });
    const bytes = await counted(page);
    const begin = Date.now();
    await page.goto(`${address}dashboard/studies/${study}`, { waitUntil: "commit" });
    // The plots of its first page, which come last.
    await page.waitForFunction(() => document.querySelectorAll(".js-plotly-plot .main-svg").length >= 4, null, { timeout: 280000, polling: 250 });
    await page.evaluate(() => new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve))));
    return { first_paint_ms: round(await paint(page), 0), complete_ms: Date.now() - begin, bytes_sent: bytes.finished, ...(await memoryOf(browser, page)) };
  } finally {
    await browser.close();
  }
}

/** Seconds of processor time that a process has had. */
function processor(pid) {
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").replace(/^.*\) /s, "").split(" ");
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

async function live() {
  const world = new World();
  const browser = await launch();
  try {
    const sweep = await world.live("live", { max_total_runs: 4 });
    const server = await world.serve();
    sweep.report(1);
    await sweep.told((status) => status.runs.length === 4, "four runs train");
    const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
    // Ten times a second each of four runs reports.
    const cost = async (seconds) => {
      const before = processor(sweep.engine.pid);
      for (let i = 0; i < 10 * seconds; ++i) {
        sweep.report(1);
        await pause(100);
      }
      return (processor(sweep.engine.pid) - before) / seconds;
    };
    await cost(2);
    const alone = [], watched = [];
    const { page, context } = await open(browser, server.address);
    await page.goto(server.enter);
    for (let turn = 0; turn < 3; ++turn) {
      await page.goto("about:blank");
      alone.push(await cost(8));
      await page.goto(`${server.address}#/sweeps/${sweep.id}`);
      await settled(page);
      watched.push(await cost(8));
    }
    // From the moment at which a script may report to the frame that shows it.
    const delays = [];
    const seen = () => page.evaluate(() => document.querySelector(".grid-row")?.textContent ?? "");
    for (let i = 0; i < 40; ++i) {
      await page.evaluate(() => {
        const before = document.querySelector(".grid-row").textContent;
        globalThis.seen_ = new Promise((resolve) => {
          const look = () => (document.querySelector(".grid-row")?.textContent !== before ? requestAnimationFrame(() => resolve(Date.now())) : requestAnimationFrame(look));
          look();
        });
      });
      const at = Date.now();
      sweep.report(1);
      delays.push((await page.evaluate(() => globalThis.seen_)) - at);
      // Not in step with anything.
      await pause(120 + ((i * 37) % 140));
    }
    await until(seen, "a row");
    await context.close();
    const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;
    return { report_to_screen_ms: quantiles(delays), engine_percent_alone: round(100 * mean(alone), 2), engine_percent_watched: round(100 * mean(watched), 2) };
  } finally {
    await browser.close();
    await world.close();
  }
}

const result = await { hdrive, optuna, live }[kind](...rest);
console.log(JSON.stringify(result));
