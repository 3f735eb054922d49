// SPDX-License-Identifier: Apache-2.0
// What people do on the page, step by step.
import assert from "node:assert/strict";
import { NO_MODEL, settled } from "./browser.mjs";

const DIALOG = "dialog[open]";

async function visit(page, address, hash) {
  await page.goto(address + hash);
  await settled(page);
}

/** Drags within an element, in shares of its size. */
async function drag(page, selector, [x0, y0], [x1, y1], steps = 12) {
  const element = page.locator(selector).first();
  await element.scrollIntoViewIfNeeded();
  const box = await element.boundingBox();
  await page.mouse.move(box.x + x0 * box.width, box.y + y0 * box.height);
  await page.mouse.down();
  await page.mouse.move(box.x + x1 * box.width, box.y + y1 * box.height, { steps });
  await page.mouse.up();
}

const selected = (page) => page.locator(".selection-bar strong").innerText();

/** Where the axes of the parallel coordinates stand, as shares of the plot's width. */
async function axes(page) {
  return page.evaluate(() => {
    const plot = document.querySelector(".parallel-plot").getBoundingClientRect();
    const side = 46, names = [...document.querySelectorAll(".parallel-name span")];
    return names.map((name, i) => ({ name: name.textContent, at: (side + ((plot.width - 2 * side) * i) / (names.length - 1)) / plot.width }));
  });
}

async function confirm(page, name) {
  await page.locator(`${DIALOG} button[type=submit]`).click();
  await page.locator(".toast").first().waitFor();
  const text = await page.locator(".toast").first().innerText();
  assert.match(text, name);
}

export const FLOWS = [
  {
    name: "a brush on an axis filters the table and all charts, and is taken away again",
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.large}`);
      const axis = (await axes(page)).find((a) => a.name === "dropout");
      await drag(page, ".parallel-plot", [axis.at, 0.5], [axis.at, 0.8]);
      const count = Number((await selected(page)).replace(/\D/g, ""));
      assert.ok(count > 100 && count < 9900, `${count} runs are selected`);
      await page.waitForFunction((n) => document.querySelector(".runs-panel h2").textContent.replace(/\D/g, "").startsWith(String(n)), count);
      await page.locator(".brush-chip").click();
      await page.waitForFunction(() => !document.querySelector(".selection-bar"));
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "brushes on several axes and in the scatter go together",
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.large}`);
      const [first, second] = await axes(page);
      await drag(page, ".parallel-plot", [first.at, 0.3], [first.at, 0.7]);
      const one = Number((await selected(page)).replace(/\D/g, ""));
      await drag(page, ".parallel-plot", [second.at, 0.5], [second.at, 0.85]);
      const two = Number((await selected(page)).replace(/\D/g, ""));
      assert.ok(two < one, `${two} of ${one}`);
      await drag(page, "section[aria-label=Scatter] .plot", [0.4, 0.4], [0.8, 0.8]);
      assert.equal(await page.locator(".brush-chip").count(), 2);
      await page.getByRole("button", { name: "show all" }).click();
      assert.equal(await page.locator(".selection-bar").count(), 0);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "axes move by the keyboard and by dragging, and flip",
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      const before = (await axes(page)).map((a) => a.name);
      await page.locator(".parallel-name").nth(0).focus();
      await page.keyboard.press("ArrowRight");
      await page.waitForFunction((name) => document.querySelectorAll(".parallel-name span")[1].textContent === name, before[0]);
      await page.locator(".parallel-name").nth(0).click();
      await page.waitForFunction(() => document.querySelectorAll(".parallel-name small")[0].textContent.startsWith("↓"));
      const box = await page.locator(".parallel-name").nth(0).boundingBox();
      await page.mouse.move(box.x + box.width / 2, box.y + 8);
      await page.mouse.down();
      await page.mouse.move(box.x + box.width / 2 + 330, box.y + 8, { steps: 20 });
      await page.mouse.up();
      assert.ok((await axes(page)).map((a) => a.name).indexOf(before[1]) >= 2);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "hovering a row shows the run, and a click opens it and comes back with the brush kept",
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      await drag(page, ".strip .plot", [0.05, 0.5], [0.4, 0.5]);
      const count = await selected(page);
      await page.locator(".grid-row").nth(2).hover();
      await page.waitForFunction(() => document.querySelector(".grid-row.hovered"));
      await page.locator(".grid-row").nth(2).click();
      await page.waitForFunction(() => /\/runs\/\d+$/.test(location.hash));
      await page.getByRole("heading", { level: 1, name: /^Run \d+/ }).waitFor();
      await page.goBack();
      await page.locator(".selection-bar").waitFor();
      assert.equal(await selected(page), count);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "every chart is a table, a picture, a drawing and a file of values",
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      const titles = await page.locator(".chart h2").allInnerTexts();
      assert.ok(titles.length >= 11, titles.join());
      for (const title of titles) {
        const chart = page.locator(`section[aria-label="${title}"]`);
        await chart.scrollIntoViewIfNeeded();
        await chart.locator("[aria-busy=true]").waitFor({ state: "detached" });
        // Where there is nothing to draw it says why, and has nothing to give.
        if (await chart.locator(".chart-message").count()) {
          assert.match(await chart.locator(".chart-message").innerText(), NO_MODEL);
          continue;
        }
        for (const [item, magic] of [["Save as SVG", "<svg"], ["Save as PNG", "\x89PNG"], ["Save as CSV", ""]]) {
          await chart.getByRole("button", { name: `Export ${title}` }).click();
          const [download] = await Promise.all([page.waitForEvent("download"), chart.getByRole("menuitem", { name: item }).click()]);
          const chunks = [];
          for await (const chunk of await download.createReadStream()) chunks.push(chunk);
          const text = Buffer.concat(chunks).toString("latin1");
          assert.ok(text.startsWith(magic), `${title}, ${item}: ${text.slice(0, 40)}`);
          assert.ok(text.length > 60, `${title}, ${item} has ${text.length} bytes`);
          // A picture within a drawing is letters of all kinds.
          assert.ok(!/NaN/.test(text.replace(/data:[^"]*/g, "")) || item === "Save as PNG", `${title}, ${item} has NaN`);
        }
        await chart.getByRole("button", { name: `Export ${title}` }).click();
        await chart.getByRole("menuitem", { name: "Show as table" }).click();
        assert.ok((await chart.locator("tbody tr").count()) > 0, `${title} has no rows`);
      }
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "the controls of the charts change what is drawn, without an error",
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.maximize}`);
      for (const select of await page.locator(".board select").all()) {
        await select.scrollIntoViewIfNeeded();
        for (const value of await select.locator("option").evaluateAll((options) => options.map((option) => option.value))) {
          await select.selectOption(value);
          await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
        }
      }
      for (const toggle of await page.locator(".board .toggle").all()) {
        if (!(await toggle.isVisible())) continue;
        await toggle.click();
      }
      await drag(page, "section[aria-label=Scatter] .plot", [0.4, 0.4], [0.7, 0.6]);
      await settled(page);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "the search finds runs by number and by option",
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      await page.getByRole("searchbox", { name: "run or word" }).fill("lion");
      await page.locator(".selection-bar").waitFor();
      await page.waitForFunction(() => [...document.querySelectorAll(".grid-row")].every((row) => row.textContent.includes("lion")));
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "stopping a sweep shows its command line, asks, and says what the command said",
    alive: ["--still"],
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      assert.equal(await page.locator(`${DIALOG} code`).innerText(), `hdrive stop ${sweeps.live}`);
      await confirm(page, /stop: done/);
      assert.equal(await page.locator(DIALOG).count(), 0);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "limits are changed by what differs alone, and a refusal keeps the form",
    alive: ["--still"],
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      await page.getByRole("button", { name: "More actions" }).click();
      await page.getByRole("menuitem", { name: "Change limits and policy" }).click();
      assert.ok(await page.locator(`${DIALOG} button[type=submit]`).isDisabled());
      await page.getByLabel("Runs in all").fill("7");
      assert.equal(await page.locator(`${DIALOG} code`).innerText(), `hdrive update ${sweeps.live} --set max_total_runs=7`);
      await confirm(page, /must be at least 41/);
      assert.equal(await page.locator(DIALOG).count(), 1);
      await page.keyboard.press("Escape");
      await page.waitForFunction(() => !document.querySelector("dialog[open]"));
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a point near a run is prefilled from it and enqueued",
    alive: ["--still"],
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}/runs/20`);
      await page.getByRole("button", { name: "Near this run" }).click();
      await page.getByRole("textbox", { name: "dropout" }).fill("0.25");
      await page.getByRole("textbox", { name: "learning_rate" }).fill("");
      const line = await page.locator(`${DIALOG} code`).innerText();
      assert.match(line, new RegExp(`^hdrive enqueue ${sweeps.live} batch_size=208 layers=4 dropout=0.25 optimizer=adam`));
      assert.ok(!line.includes("learning_rate"));
      await confirm(page, /enqueue: done/);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a finished sweep is deleted after confirmation, and the list is without it",
    alive: ["--still"],
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.small}`);
      await page.getByRole("button", { name: "More actions" }).click();
      await page.getByRole("menuitem", { name: "Delete" }).click();
      assert.match(await page.locator(DIALOG).innerText(), /gone for good/);
      await confirm(page, /deleted/);
      await page.getByRole("heading", { level: 1, name: "Sweeps" }).waitFor();
      await page.locator(".sweep-row").first().waitFor();
      assert.equal(await page.getByRole("link", { name: "ablation-small" }).count(), 0);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a read-only server gets no command, but its line can be copied",
    alive: ["--still", "--read-only"],
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      assert.match(await page.locator(DIALOG).innerText(), /read-only/);
      assert.equal(await page.locator(`${DIALOG} button[type=submit]`).count(), 0);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a live sweep's reports come on the screen by themselves",
    alive: true,
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      const runs = () => page.locator(".figure dd").nth(1).innerText();
      const before = await runs();
      await page.waitForFunction((text) => document.querySelectorAll(".figure dd")[1].innerText !== text, before, { timeout: 90000 });
      await page.goto(`${address}#/sweeps/${sweeps.live}/log`);
      await page.locator(".log-line").first().waitFor();
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a lost connection is said, and mended when the server is back",
    alive: true,
    async body({ page, address, sweeps, server }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      server.stop();
      await page.locator(".lost").waitFor({ timeout: 20000 });
      await server.again();
      await page.waitForFunction(() => !document.querySelector(".lost"), null, { timeout: 30000 });
    },
  },
  {
    name: "runs are compared, what differs first",
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      for (const i of [0, 1, 2]) await page.locator(".grid-row input").nth(i).check();
      await page.getByRole("button", { name: "Compare 3 runs" }).click();
      await page.getByRole("heading", { name: "3 runs side by side" }).waitFor();
      const rows = await page.locator("table.compare tbody").first().locator("th").allInnerTexts();
      assert.ok(rows.includes("learning_rate") && !rows.includes("attempt"), rows.join());
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "sweeps are compared from the list",
    async body({ page, address, faults }) {
      await visit(page, address, "#/");
      await page.getByLabel("Compare resnet-digits").check();
      await page.getByLabel("Compare over-night").check();
      await page.getByRole("button", { name: "Compare 2" }).click();
      await page.getByRole("heading", { name: "2 sweeps" }).waitFor();
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "the list is filtered by state and by words",
    async body({ page, address, faults }) {
      await visit(page, address, "#/");
      await page.getByRole("searchbox").fill("tpe scan");
      await page.waitForFunction(() => document.querySelectorAll(".sweep-row").length === 1);
      await page.getByRole("searchbox").fill("nothing like this");
      await page.getByRole("button", { name: "Show all sweeps" }).click();
      await page.getByRole("button", { name: /^interrupted/ }).click();
      await page.waitForFunction(() => document.querySelectorAll(".sweep-row").length === 1);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "what a script wrote is text, and its HTML a frame that can do nothing",
    async body({ page, address, sweeps, faults }) {
      await visit(page, address, `#/sweeps/${sweeps.live}/runs/20`);
      await page.getByRole("button", { name: "stderr" }).click();
      await page.getByText("<script>alert('from a script')</script>").waitFor();
      for (const name of ["outputs/confusion.csv", "outputs/metrics.json", "outputs/notes.txt", "outputs/report.html"]) await page.getByRole("button", { name }).click();
      const frame = page.locator("iframe");
      assert.equal(await frame.getAttribute("sandbox"), "");
      await frame.waitFor();
      assert.equal(await page.getByRole("heading", { level: 1 }).first().innerText(), "Run 20 best run");
      // The frame's own script is refused, which the browser tells.
      assert.deepEqual(faults.filter((fault) => !/sandboxed|Content Security Policy/i.test(fault)), []);
    },
  },
  {
    name: "the editor completes keys, shows problems at their line, previews and starts",
    alive: ["--still"],
    async body({ page, address, faults }) {
      await visit(page, address, "#/new");
      await page.locator(".editor .cm-content").waitFor();
      await page.locator(".editor .cm-content").click();
      await page.keyboard.press("Control+End");
      await page.keyboard.type("max_con");
      await page.locator(".cm-tooltip-autocomplete li").first().waitFor();
      // CodeMirror takes no key for a moment after a list has opened, lest one is taken by mistake.
      await page.locator(".cm-tooltip-autocomplete li").first().click();
      await page.waitForFunction(() => document.querySelector(".editor").shadowRoot.textContent.includes("max_concurrent_runs: "));
      await page.keyboard.type("2");
      await page.keyboard.press("Enter");
      await page.keyboard.type("policy2: {type: MedianStopingPolicy}");
      await page.getByText("did you mean \"MedianStoppingPolicy\"?").first().waitFor();
      assert.ok(await page.getByRole("button", { name: "Start" }).isDisabled());
      await page.locator(".editor .cm-lint-marker-error").waitFor();
      for (let i = 0; i < 36; ++i) await page.keyboard.press("Backspace");
      await page.waitForFunction(() => !document.querySelector(".page-head button.primary").disabled);
      await page.locator(".preview tbody tr").nth(4).waitFor();
      await page.getByRole("button", { name: "Start" }).click();
      assert.match(await page.locator(`${DIALOG} code`).innerText(), /^hdrive run - --detach --path \/home\/ada\/digits < hdconfig\.yml$/);
      await confirm(page, /HD_0d1e2f3a/);
      assert.deepEqual(faults.filter((fault) => !/404/.test(fault)), []);
    },
  },
  {
    name: "a target is made by its type's form, and tested",
    alive: ["--still"],
    async body({ page, address, faults }) {
      await visit(page, address, "#/targets");
      await page.getByRole("button", { name: "New target" }).click();
      await page.getByRole("menuitem", { name: "ssh" }).click();
      await page.getByLabel("name *").fill("lab");
      await page.getByLabel("host *").fill("ada@a:22 ada@b");
      await page.getByRole("textbox", { name: "slots" }).fill("2");
      assert.equal(await page.locator(`${DIALOG} code`).innerText(), "hdrive target create lab --host ada@a:22 --host ada@b --set slots=2");
      await confirm(page, /lab is written/);
      await page.getByRole("button", { name: "Test" }).first().click();
      await page.locator(".test-result").waitFor();
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "without WebGL the parallel coordinates are drawn by the 2-D canvas",
    async body({ page, address, sweeps, faults }) {
      await page.addInitScript(() => {
        const original = HTMLCanvasElement.prototype.getContext;
        HTMLCanvasElement.prototype.getContext = function (kind, ...rest) { return kind === "webgl2" ? null : original.call(this, kind, ...rest); };
      });
      await visit(page, address, `#/sweeps/${sweeps.live}`);
      await page.locator(".parallel-plot").scrollIntoViewIfNeeded();
      await settled(page);
      const painted = await page.evaluate(() => {
        const canvas = document.querySelectorAll(".parallel-plot canvas")[1];
        const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
        return data.some((value) => value > 0);
      });
      assert.ok(painted);
      assert.deepEqual(faults, []);
    },
  },
];
