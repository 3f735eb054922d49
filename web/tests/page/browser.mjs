// SPDX-License-Identifier: Apache-2.0
// The mock server and a browser, for tests of the page and for pictures of it.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { once } from "node:events";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const EXECUTABLE = process.env.CHROMIUM ?? "/usr/bin/chromium";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");

let servers = 0;

export async function serve(options = []) {
  const port = 18000 + ((process.pid * 7 + servers++) % 9000);
  const start = async () => {
    const child = spawn(process.execPath, [fileURLToPath(new URL("../../dev/mock.mjs", import.meta.url)), "--port", String(port), ...options], { stdio: ["ignore", "pipe", "inherit"] });
    const [line] = await once(child.stdout, "data");
    return { child, address: String(line).trim() };
  };
  let { child, address } = await start();
  return {
    address,
    stop: () => child.kill(),
    again: async () => void ({ child } = await start()),
  };
}

/** `env`: beside this process' own, as which fonts there are. */
export async function launch({ env = {}, args = [] } = {}) {
  return chromium.launch({ executablePath: EXECUTABLE, env: { ...process.env, ...env }, args: ["--no-sandbox", "--enable-unsafe-swiftshader", "--force-color-profile=srgb", ...args] });
}

/** A page that keeps what went wrong in it, and every request that left this machine. */
export async function open(browser, address, { width = 1280, height = 900, dark = false, scale = 1 } = {}) {
  const context = await browser.newContext({ viewport: { width, height }, colorScheme: dark ? "dark" : "light", deviceScaleFactor: scale, reducedMotion: "reduce",
                                             timezoneId: "UTC", locale: "en-US" });
  const page = await context.newPage();
  const faults = [];
  page.on("console", (message) => { if (["error", "warning"].includes(message.type()) && !/GPU stall|WebGL|GL Driver/.test(message.text())) faults.push(message.text()); });
  page.on("pageerror", (error) => faults.push(String(error.stack ?? error)));
  page.on("request", (request) => { const url = request.url(); if (!url.startsWith(address) && !/^(data|blob):/.test(url)) faults.push(`a request to ${url}`); });
  return { page, faults, context };
}

export const SWEEPS = Object.fromEntries(Object.entries({ live: "c18f0e51", small: "5a0d7b33", large: "e0f7c2a9", huge: "91b64e0d", maximize: "77ac01f2", orphaned: "2d9930be", hostile: "f31c8a40" })
  .map(([name, head], i) => [name, `HD_${head}-6f53-4093-913b-f888503909a${i}`]));

/** Waits until the page is drawn: nothing is loading, and two frames have passed. */
export async function settled(page) {
  await page.waitForFunction(() => document.querySelector("#main")?.childElementCount && !document.querySelector("[aria-busy=true]"), null, { timeout: 150000, polling: 250 });
  await page.evaluate(() => new Promise((resolve) => { let left = 20; const tick = () => (--left ? requestAnimationFrame(tick) : resolve()); tick(); }));
}

export async function accessible(page) {
  // The policy forbids scripts from elsewhere; evaluated by the debugger it is not the page's own.
  await page.evaluate(AXE);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const serious = violations.filter((violation) => ["serious", "critical"].includes(violation.impact));
  assert.deepEqual(serious.map((v) => `${v.id}: ${v.help}; ${v.nodes.slice(0, 4).map((node) => `${node.html.slice(0, 160)} ${node.any[0]?.message ?? ""}`).join(" | ")}`), []);
}

/** What stands in the model chart of a sweep whose sampler had none. */
export const NO_MODEL = /^There is no model: /;

export async function fits(page) {
  // A busy page has not laid itself out anew yet; what stays is a fault.
  await page.waitForFunction(() => document.documentElement.scrollWidth <= innerWidth, null, { timeout: 20000 }).catch(() => {});
  const { spill, wide } = await page.evaluate(() => ({
    spill: document.documentElement.scrollWidth - innerWidth,
    wide: [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > innerWidth + 1).slice(0, 8)
      .map((one) => `${one.tagName.toLowerCase()}.${one.className}`).join(", "),
  }));
  assert.ok(spill <= 0, `the page is ${spill} pixels wider than the window: ${wide}`);
}

/** Runs what is wanted of named checks, and tells how each went. */
export class Checks {
  failed = 0;
  wanted = (name) => !this.only.length || this.only.some((one) => name.includes(one));
  constructor(only) {
    this.only = only;
  }

  async run(name, body) {
    if (!this.wanted(name)) return;
    const start = Date.now();
    try {
      await body();
      console.log(`ok    ${name} (${Date.now() - start} ms)`);
    } catch (error) {
      ++this.failed;
      console.log(`FAIL  ${name} (${Date.now() - start} ms)\n${error.stack ?? error}`);
    }
  }

  end() {
    process.exitCode = this.failed ? 1 : 0;
    console.log(this.failed ? `${this.failed} failed` : "all well");
  }
}

/** Once through the page, since charts draw when they come into sight. */
export async function scrolled(page) {
  await page.evaluate(async () => {
    const frames = (n) => new Promise((resolve) => { const tick = () => (--n > 0 ? requestAnimationFrame(tick) : resolve()); tick(); });
    const seen = (element) => { const { top, bottom } = element.getBoundingClientRect(); return bottom > 0 && top < innerHeight; };
    for (let y = 0; y < document.documentElement.scrollHeight; y += innerHeight / 2) {
      scrollTo(0, y);
      await frames(5);
      // What is drawn in portions, to the last.
      while ([...document.querySelectorAll("[data-drawing]")].some(seen)) await frames(2);
    }
    scrollTo(0, 0);
    await frames(4);
  });
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"), null, { timeout: 150000, polling: 250 });
}
