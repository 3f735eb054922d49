// SPDX-License-Identifier: Apache-2.0
// Pictures of pages compared with those that were looked at: at half their size, square by square, by the middle colour of each, so that
// another version of the browser, which sets letters a little differently, is no difference, and a chart that is empty, text over text or
// another colour is one.
//   HDRIVE_UPDATE_GOLDEN=1 writes them anew
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";

export const FOLDER = process.env.HDRIVE_GOLDEN ?? fileURLToPath(new URL("golden", import.meta.url));
export const UPDATE = Boolean(process.env.HDRIVE_UPDATE_GOLDEN);
const CELL = 8; // of the halved picture
const OFF = 20; // of 255
const MOST_OFF = 0.01;
const MOST_TALLER = 0.015;

/** What changes from one time to the next - moments, durations, ids, folders - in the words of every time. */
export async function still(page, folder) {
  await page.evaluate((folder) => {
    const RULES = [
      [/HD_[0-9a-f]{8}-[0-9a-f-]{27}/g, "HD_00000000-0000-4000-8000-000000000000"], [/HD_[0-9a-f]{8}(?!-0000)/g, "HD_00000000"],
      [/\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?/g, "2026-01-01 00:00:00"], [/\b\d\d:\d\d:\d\d(\.\d+)?/g, "00:00:00"],
      [/\b\d+(\.\d+)? (ms|s|min|h|d)\b( \d+ (s|min|h)\b)?/g, "1 min"], [/\b\d+(\.\d+)? (B|kB|MB|GB)\b/g, "1 MB"], [/\bpid \d+/g, "pid 1"], [/127\.0\.0\.1:\d+/g, "127.0.0.1:1"],
    ];
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = texts.nextNode(); node; node = texts.nextNode()) {
      const { parentElement } = node;
      let text = node.data.replaceAll(folder, "/home/ada");
      if (parentElement?.closest("time")) text = "1 h ago";
      else if (parentElement?.closest(".host")) text = "machine";
      else for (const [pattern, word] of RULES) text = text.replace(pattern, word);
      if (text !== node.data) node.data = text;
    }
  }, folder);
}

/** In the browser: halves the picture, and compares it with another. */
async function judge(page, png, golden) {
  return page.evaluate(async ({ png, golden, CELL, OFF }) => {
    const decode = async (base64, type) => createImageBitmap(await (await fetch(`data:${type};base64,${base64}`)).blob());
    const pixels = (source, width, height) => {
      const canvas = new OffscreenCanvas(width, height);
      const context = canvas.getContext("2d", { willReadFrequently: true });
      context.imageSmoothingQuality = "high";
      context.drawImage(source, 0, 0, width, height);
      return { canvas, data: context.getImageData(0, 0, width, height).data };
    };
    const full = await decode(png, "image/png");
    const width = Math.round(full.width / 2), height = Math.round(full.height / 2);
    const now = pixels(full, width, height);
    const bytes = new Uint8Array(await (await now.canvas.convertToBlob({ type: "image/webp", quality: 0.55 })).arrayBuffer());
    let text = "";
    for (let i = 0; i < bytes.length; i += 8192) text += String.fromCharCode(...bytes.subarray(i, i + 8192));
    const result = { width, height, webp: btoa(text), off: 0, cells: 0, before: null, where: [] };
    if (!golden) return result;
    const kept = await decode(golden, "image/webp");
    result.before = [kept.width, kept.height];
    if (kept.width !== width) return result;
    const then = pixels(kept, kept.width, kept.height);
    const rows = Math.floor(Math.min(height, kept.height) / CELL), columns = Math.floor(width / CELL);
    for (let row = 0; row < rows; ++row)
      for (let column = 0; column < columns; ++column) {
        const sums = [0, 0, 0];
        for (let y = 0; y < CELL; ++y)
          for (let x = 0; x < CELL; ++x) {
            const at = ((row * CELL + y) * width + column * CELL + x) * 4;
            for (let c = 0; c < 3; ++c) sums[c] += now.data[at + c] - then.data[at + c];
          }
        ++result.cells;
        if (Math.max(...sums.map(Math.abs)) / (CELL * CELL) <= OFF) continue;
        ++result.off;
        if (result.where.length < 12) result.where.push(`${column * CELL * 2},${row * CELL * 2}`);
      }
    return result;
  }, { png: png.toString("base64"), golden: golden?.toString("base64") ?? null, CELL, OFF });
}

/** What is wrong with the picture by the one that was kept (nothing: ""), and whether they agree. To be kept, two in a row must be alike. */
export async function compare(judgePage, name, png, failures, again) {
  const file = join(FOLDER, `${name}.webp`);
  const golden = (!UPDATE || again) && existsSync(file) ? readFileSync(file) : null;
  const result = await judge(judgePage, png, golden);
  let fault = "";
  if (!golden) fault = `there is no ${file}; HDRIVE_UPDATE_GOLDEN=1 makes it, to be looked at`;
  else if (result.before[0] !== result.width) fault = `it is ${2 * result.width} pixels wide instead of ${2 * result.before[0]}`;
  else if (Math.abs(result.before[1] - result.height) > Math.max(4, MOST_TALLER * result.before[1])) fault = `it is ${2 * result.height} pixels tall instead of ${2 * result.before[1]}`;
  else if (result.off > MOST_OFF * result.cells) fault = `${result.off} of ${result.cells} squares look different, as at ${result.where.join(" ")}`;
  if (!fault) return { fault, agreed: true };
  if (UPDATE) {
    mkdirSync(FOLDER, { recursive: true });
    writeFileSync(file, Buffer.from(result.webp, "base64"));
    return { fault: "", agreed: false };
  }
  mkdirSync(failures, { recursive: true });
  writeFileSync(join(failures, `${name}.png`), png);
  if (golden) writeFileSync(join(failures, `${name}.kept.webp`), golden);
  return { fault: `${name}: ${fault}; the picture is ${join(failures, `${name}.png`)}`, agreed: false };
}
