// SPDX-License-Identifier: Apache-2.0
// The page in a browser on real sweeps (world.mjs): every page in both themes at three widths like the pictures that were kept (golden.mjs),
// without an error, without a request elsewhere, without a serious fault of axe-core; and every action, carried out by the command.
//   HDRIVE_BINARY=... SIMULATED_SWEEP=... node tests/page/real.mjs [NAME...]
//   HDRIVE_PAGE_COMPARE=no: all but the pictures.  HDRIVE_UPDATE_GOLDEN=1: writes golden/ anew.  HDRIVE_UPDATE_PICTURES=FOLDER: writes the pictures of docs/ui.md there, and does nothing else
import assert from "node:assert/strict";
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { accessible, Checks, fits, launch, open, scrolled, settled } from "./browser.mjs";
import { compare, still } from "./golden.mjs";
import { FLOWS } from "./flows.mjs";
import { ACTIONS } from "./actions.mjs";
import { REPORTS } from "./reports.mjs";
import { takePictures } from "./pictures.mjs";
import { World } from "./world.mjs";

const WIDTHS = [1920, 1280, 375];
// Without a graphics processor the browser now and then gives a picture in which a canvas is missing, however long one waits.
const TURNS = 4;
const COMPARE = process.env.HDRIVE_PAGE_COMPARE !== "no";
const FAILURES = process.env.HDRIVE_PAGE_FAILURES ?? join(tmpdir(), "hdrive-page-failures");
const PICTURES = process.env.HDRIVE_UPDATE_PICTURES;

// `hidden`: what shows moments or durations by drawing them. `cut`: where the picture of a page of like rows ends.
const TIMES = ["section[aria-label='Timeline'] .plot"];
const PAGES = [
  { name: "sweeps", hash: () => "#/" },
  { name: "sweep-live", hash: (s) => `#/sweeps/${s.live}`, hidden: TIMES },
  { name: "sweep-small", hash: (s) => `#/sweeps/${s.small}`, hidden: TIMES },
  { name: "sweep-large", hash: (s) => `#/sweeps/${s.large}` },
  { name: "decisions", hash: (s) => `#/sweeps/${s.large}/decisions`, cut: 1600 },
  { name: "configuration", hash: (s) => `#/sweeps/${s.small}/configuration` },
  { name: "log", hash: (s) => `#/sweeps/${s.small}/log` },
  { name: "run", hash: (s) => `#/sweeps/${s.small}/runs/0` },
  { name: "run-failed", hash: (s, known) => `#/sweeps/${s.small}/runs/${known.failed}` },
  { name: "run-live", hash: (s) => `#/sweeps/${s.live}/runs/2` },
  { name: "compare-runs", hash: (s) => `#/sweeps/${s.large}/compare?runs=1,20,300,4000` },
  { name: "compare-sweeps", hash: (s) => `#/compare?sweeps=${s.large},${s.small}` },
  { name: "targets", hash: () => "#/targets" },
  { name: "new", hash: () => "#/new" },
];
// What flows.mjs asks of the mock server and real sweeps answer, too.
const SHARED = /filters the table|go together|move by the keyboard|every chart is a table|controls of the charts|without WebGL/;

// Fonts that every Debian has by one package, and no others, lest pictures depend on the machine.
function fonts() {
  const folder = mkdtempSync(join(tmpdir(), "hdrive-fonts-")), file = join(folder, "fonts.conf");
  for (const path of ["liberation", "dejavu"]) if (!existsSync(`/usr/share/fonts/truetype/${path}`)) throw new Error(`there is no /usr/share/fonts/truetype/${path}; install fonts-liberation and fonts-dejavu-core`);
  writeFileSync(file, `<?xml version="1.0"?><!DOCTYPE fontconfig SYSTEM "fonts.dtd"><fontconfig>
    <dir>/usr/share/fonts/truetype/liberation</dir><dir>/usr/share/fonts/truetype/dejavu</dir><cachedir>${join(folder, "cache")}</cachedir>
    <alias binding="same"><family>monospace</family><prefer><family>DejaVu Sans Mono</family></prefer></alias>
    <match target="pattern"><edit name="family" mode="append_last" binding="same"><string>Liberation Sans</string></edit></match></fontconfig>\n`);
  return { env: { FONTCONFIG_FILE: file }, folder };
}

const checks = new Checks(process.argv.slice(2));
const set = PICTURES ? null : fonts();
const world = new World();
const browser = await launch({ env: set?.env ?? {} });
try {
  const small = await world.small();
  const large = await world.large();
  const live = await world.live();
  const sweeps = { small, large, live: live.id, maximize: large };
  live.report(12);
  await live.told((status) => status.runs.length === 4 && status.runs.every((run) => run.reports === 12), "all have reported");
  const failed = (await world.status(small)).runs.find((run) => run.status === "Failed").number;
  const server = await world.serve();
  const enter = async (options) => {
    const opened = await open(browser, server.address, options);
    await opened.page.goto(server.enter);
    await opened.page.waitForFunction(() => document.querySelector("#main")?.childElementCount);
    return opened;
  };
  if (PICTURES) {
    mkdirSync(PICTURES, { recursive: true });
    await takePictures({ enter, address: server.address, sweeps, folder: PICTURES });
  } else {
    const judge = await (await browser.newContext()).newPage();
    for (const { name, hash, hidden = [], cut } of PAGES)
      await checks.run(`page ${name}`, async () => {
        const { page, faults, context } = await enter({ width: WIDTHS[0], height: 1000 });
        const wrong = [];
        try {
          await page.goto(server.address + hash(sweeps, { failed }));
          for (const theme of ["light", "dark"]) {
            await page.emulateMedia({ colorScheme: theme });
            for (const width of WIDTHS) {
              await page.setViewportSize({ width, height: width < 500 ? 800 : 1000 });
              await fits(page);
              let fault = "";
              for (let turn = 1, agreed = false; !agreed && turn <= TURNS; ++turn) {
                await settled(page);
                if (!cut) await scrolled(page);
                if (!COMPARE) break;
                await page.evaluate((selectors) => { for (const selector of selectors) for (const one of document.querySelectorAll(selector)) one.style.visibility = "hidden"; }, hidden);
                await still(page, world.folder);
                const png = await page.screenshot({ fullPage: true, animations: "disabled", caret: "hide", ...(cut && { clip: { x: 0, y: 0, width, height: cut } }) });
                ({ fault, agreed } = await compare(judge, `${name}-${width}-${theme}`, png, FAILURES, turn > 1));
              }
              if (width !== 1920) await accessible(page);
              if (fault) wrong.push(fault);
            }
          }
          assert.deepEqual(faults, []);
          assert.deepEqual(wrong, []);
        } finally {
          await context.close();
        }
      });
    const context = { world, server, enter, sweeps, live, browser };
    for (const { name, options, body } of FLOWS.filter((flow) => SHARED.test(flow.name)))
      await checks.run(`flow ${name}`, async () => {
        const opened = await enter(options);
        try {
          await body({ page: opened.page, address: server.address, sweeps: { ...sweeps, live: large }, faults: opened.faults });
        } finally {
          await opened.context.close();
        }
      });
    for (const { name, body } of [...REPORTS, ...ACTIONS])
      await checks.run(`action ${name}`, async () => {
        const opened = await enter();
        try {
          await body({ ...context, page: opened.page, address: server.address, faults: opened.faults });
        } finally {
          await opened.context.close();
        }
      });
  }
} finally {
  await browser.close();
  await world.close();
  if (set) rmSync(set.folder, { recursive: true, force: true });
}
checks.end();
