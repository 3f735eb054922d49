// SPDX-License-Identifier: Apache-2.0
// What the page has the command do, on real sweeps: each is looked at on the page and in what the command tells afterwards. In this order,
// since one sweep goes from one to the next.
import assert from "node:assert/strict";
import { settled } from "./browser.mjs";
import { until } from "./world.mjs";

const DIALOG = "dialog[open]";

async function visit(page, address, hash) {
  await page.goto(address + hash);
  await settled(page);
}

/** Says yes in the dialog, whose command line must be this one. */
async function confirm(page, line) {
  assert.match(await page.locator(`${DIALOG} code`).innerText(), line);
  await page.locator(`${DIALOG} button[type=submit]`).click();
  // It closes when the command has done it; what was refused is told and leaves the form open.
  await page.waitForFunction(() => !document.querySelector("dialog[open]") || document.querySelector(".toast-error"), null, { timeout: 60000 });
  assert.deepEqual(await page.locator(".toast-error").allInnerTexts(), []);
}

async function more(page, item) {
  await page.getByRole("button", { name: "More actions" }).click();
  await page.getByRole("menuitem", { name: item }).click();
}

const word = (page, text) => page.waitForFunction((text) => document.querySelector(".sweep-title .status")?.textContent.includes(text), text, { timeout: 60000 });

export const ACTIONS = [
  {
    name: "a report is on the screen by itself",
    async body({ page, address, live, faults }) {
      await visit(page, address, `#/sweeps/${live.id}/runs/1`);
      await page.getByText("epoch 12", { exact: true }).waitFor({ timeout: 60000 });
      live.report(1);
      await page.getByText("epoch 13", { exact: true }).waitFor({ timeout: 60000 });
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a sweep is paused and resumed",
    async body({ page, address, live, faults }) {
      await visit(page, address, `#/sweeps/${live.id}`);
      await page.getByRole("button", { name: "Pause", exact: true }).click();
      await confirm(page, /^hdrive .*pause HD_/);
      await word(page, "Paused");
      await live.told((status) => status.status === "Paused", "it is paused");
      await page.getByRole("button", { name: "Resume", exact: true }).click();
      await confirm(page, /^hdrive .*resume HD_/);
      await word(page, "Running");
      await live.told((status) => status.status === "Running", "it goes on");
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "limits are changed",
    async body({ page, address, live, faults }) {
      await visit(page, address, `#/sweeps/${live.id}`);
      await more(page, "Change limits and policy");
      await page.getByLabel("Runs in all").fill("14");
      await confirm(page, /update HD_\S+ --set max_total_runs=14$/);
      await page.getByText("of 14", { exact: false }).first().waitFor({ timeout: 60000 });
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a run is stopped, and the point that was enqueued comes next",
    async body({ page, address, live, faults }) {
      await visit(page, address, `#/sweeps/${live.id}/runs/1`);
      await page.getByRole("button", { name: "Near this run" }).click();
      await page.getByRole("textbox", { name: "dropout" }).fill("0.125");
      await confirm(page, /enqueue HD_\S+ .*dropout=0\.125/);
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      await confirm(page, /stop HD_\S+\/1$/);
      await live.told((status) => status.runs.some((run) => run.number === 1 && run.status === "Canceled"), "run 1 is cancelled");
      await live.told((status) => status.runs.some((run) => JSON.stringify(run).includes("0.125")), "the point runs");
      await visit(page, address, `#/sweeps/${live.id}/runs/4`);
      await page.getByText("0.125").first().waitFor();
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a sweep is stopped and resumed, and then stopped for good and deleted",
    async body({ page, address, live, faults, world }) {
      await visit(page, address, `#/sweeps/${live.id}`);
      await page.getByRole("button", { name: "Stop", exact: true }).click();
      await confirm(page, /stop HD_\S+$/);
      await until(() => live.engine.exitCode !== null, "the engine has ended");
      await page.getByRole("button", { name: "Resume", exact: true }).waitFor({ timeout: 60000 });
      await more(page, "Delete");
      assert.match(await page.locator(DIALOG).innerText(), /gone for good/);
      await confirm(page, /delete HD_\S+ --yes$/);
      await page.getByRole("heading", { level: 1, name: "Sweeps" }).waitFor();
      await page.waitForFunction(() => document.querySelector(".sweep-row") && ![...document.querySelectorAll(".sweep-row")].some((row) => row.textContent.includes("over-night")), null, { timeout: 60000 });
      assert.ok(!(await world.hdrive("list")).includes("over-night"));
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a run is tried again",
    async body({ page, address, sweeps, faults, world }) {
      const failed = (await world.status(sweeps.small)).runs.find((run) => run.status === "Failed").number;
      await visit(page, address, `#/sweeps/${sweeps.small}/runs/${failed}`);
      await page.getByRole("button", { name: "Retry" }).click();
      await confirm(page, /retry HD_\S+\/\d+$/);
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a sweep is written, checked, previewed and begun",
    async body({ page, address, faults, world }) {
      await visit(page, address, "#/new");
      const editor = page.locator(".editor .cm-content");
      await editor.waitFor();
      await editor.click();
      await page.keyboard.press("Control+a");
      const text = world.read("small.yml").replace('"digits"', '"begun-here"').replace(/"max_total_runs": 10/, '"max_total_runs": 2').replace("median_stopping", "median_stoping");
      await page.keyboard.insertText(text);
      await page.getByText("did you mean", { exact: false }).first().waitFor({ timeout: 60000 });
      assert.ok(await page.getByRole("button", { name: "Start" }).isDisabled());
      await page.keyboard.press("Control+a");
      await page.keyboard.insertText(text.replace("median_stoping", "median_stopping"));
      await page.locator(".preview tbody tr").nth(1).waitFor({ timeout: 60000 });
      await page.waitForFunction(() => !document.querySelector(".page-head button.primary").disabled);
      await page.getByRole("button", { name: "Start" }).click();
      await confirm(page, /hdrive .*run - --detach/);
      await until(async () => JSON.parse(await world.hdrive("list", "-f", "json")).some((sweep) => sweep.name === "begun-here" && sweep.status === "Completed"), "the sweep has been run");
      await visit(page, address, "#/");
      await page.getByRole("link", { name: "begun-here" }).waitFor({ timeout: 60000 });
      // Where all of a text is replaced the browser's own editing writes a style, which the policy refuses and the editor undoes anyway.
      assert.deepEqual(faults.filter((fault) => !/Applying inline style/.test(fault)), []);
    },
  },
  {
    name: "a target is made, tested and deleted",
    async body({ page, address, faults }) {
      await visit(page, address, "#/targets");
      await page.getByRole("button", { name: "Test" }).first().click();
      await page.locator(".test-result").first().waitFor({ timeout: 60000 });
      await page.getByRole("button", { name: "New target" }).click();
      await page.getByRole("menuitem", { name: "local" }).click();
      await page.getByLabel("name *").fill("small-share");
      await page.getByRole("textbox", { name: "slots" }).fill("2");
      await confirm(page, /target create small-share --type local --set slots=2$/);
      await page.getByText("small-share").first().waitFor();
      await page.getByRole("button", { name: "More about small-share" }).click();
      await page.getByRole("menuitem", { name: "Delete" }).click();
      await confirm(page, /target delete small-share$/);
      await page.waitForFunction(() => ![...document.querySelectorAll(".target-name b")].some((one) => one.textContent === "small-share"), null, { timeout: 60000 });
      assert.deepEqual(faults, []);
    },
  },
  {
    name: "a server that went away is said, and the page goes on when it is back",
    async body({ page, address, sweeps, server }) {
      await visit(page, address, `#/sweeps/${sweeps.small}`);
      await server.stop();
      await page.locator(".lost").waitFor({ timeout: 60000 });
      await server.again();
      // A server that was started anew has another token, so the page is opened by its new address.
      await page.goto(server.enter);
      await settled(page);
      await visit(page, address, `#/sweeps/${sweeps.small}`);
      await page.waitForFunction(() => !document.querySelector(".lost"), null, { timeout: 60000 });
    },
  },
];
