// SPDX-License-Identifier: Apache-2.0
// The lines of parallel coordinates set pixel by pixel: column for column, with the share of each pixel that the line covers. A thousand
// runs over ten axes take a few milliseconds, and how long a portion takes is known when it has been drawn.
import type { LineData, LineLook, LineRenderer } from "./lines_gl";
import { rgb, shade } from "./theme";

export class RasterLines implements LineRenderer {
  readonly canvas = document.createElement("canvas");
  readonly immediate = true;
  private data: LineData = { rows: 0, axes: [], at: [], shade: new Uint8Array() };
  private rows: Uint32Array = new Uint32Array();
  private image = new ImageData(1, 1);
  private ratio = 1;
  private height = 1;
  private dirty = false;

  resize(width: number, height: number, ratio: number): void {
    Object.assign(this, { height, ratio });
    const w = Math.max(1, Math.round(width * ratio)), h = Math.max(1, Math.round(height * ratio));
    if (this.canvas.width === w && this.canvas.height === h && this.image.width === w) return;
    this.canvas.width = w;
    this.canvas.height = h;
    this.image = new ImageData(w, h);
  }

  setData(data: LineData): void {
    this.data = data;
  }

  setRows(rows: Uint32Array): void {
    this.rows = rows;
  }

  clear(): void {
    this.image.data.fill(0);
    this.dirty = true;
    this.show();
  }

  draw(from: number, to: number, look: LineLook): void {
    if (to <= from) return;
    this.dirty = true;
    const { axes, at, shade: shades } = this.data;
    const { width, height } = this.image;
    const pixels = this.image.data;
    const top = look.top * this.ratio, inner = (this.height - look.top - look.bottom) * this.ratio;
    const none = rgb(look.none).map((c) => c * 255);
    const flat = look.flat ? rgb(look.flat).map((c) => c * 255) : null;
    const palette = flat ? [] : Array.from({ length: 64 }, (_, i) => rgb(shade(look.ramp, i / 63)).map((c) => c * 255));
    const alpha = look.alpha;
    for (let gap = 0; gap + 1 < axes.length; ++gap) {
      const left = Math.round(at[gap] * width), right = Math.round(at[gap + 1] * width);
      const span = Math.max(1, right - left);
      // Where between its two ends the line is at each column; the same for all.
      const share = new Float32Array(span + 1);
      for (let k = 0; k <= span; ++k) {
        const t = k / span;
        share[k] = look.curved ? t + (t * t * (3 - 2 * t) - t) * 0.72 : t;
      }
      const a = axes[gap], b = axes[gap + 1];
      for (let i = from; i < to; ++i) {
        const row = this.rows[i];
        const [red, green, blue] = flat ?? (shades[row] === 255 ? none : palette[shades[row]]);
        const y0 = top + (1 - a[row]) * inner, rise = top + (1 - b[row]) * inner - y0;
        let y = y0;
        for (let k = 0; k < span; ++k) {
          const next = y0 + rise * share[k + 1];
          // A column of the line: half a pixel above to half a pixel below what it passes here.
          const middle = (y + next) / 2, reach = Math.abs(next - y) / 2;
          const low = middle - reach - 0.5, high = middle + reach + 0.5;
          y = next;
          const first = Math.max(0, Math.floor(low)), last = Math.min(height - 1, Math.floor(high));
          // A steep line lies over more pixels of its column, none of them all through.
          const strength = alpha / (1 + reach * 0.6);
          let p = (first * width + left + k) << 2;
          for (let py = first; py <= last; ++py, p += width << 2) {
            const covered = Math.min(py + 1, high) - Math.max(py, low);
            const s = covered * strength;
            const under = pixels[p + 3] / 255;
            const out = s + under * (1 - s);
            if (out <= 0) continue;
            const own = s / out;
            pixels[p] += (red - pixels[p]) * own;
            pixels[p + 1] += (green - pixels[p + 1]) * own;
            pixels[p + 2] += (blue - pixels[p + 2]) * own;
            // Eight bits lose what is fainter than half a step: each line leaves one at least.
            pixels[p + 3] = Math.max(out * 255, Math.min(255, pixels[p + 3] + 1));
          }
        }
      }
    }
  }

  show(): void {
    if (!this.dirty) return;
    this.dirty = false;
    this.canvas.getContext("2d")!.putImageData(this.image, 0, 0);
  }

  dispose(): void {}
}
