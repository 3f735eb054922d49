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
    const pixels = new Uint32Array(this.image.data.buffer);
    const top = look.top * this.ratio, inner = (this.height - look.top - look.bottom) * this.ratio;
    const pack = (color: string) => {
      const [red, green, blue] = rgb(color);
      return (Math.round(blue * 255) << 16) | (Math.round(green * 255) << 8) | Math.round(red * 255);
    };
    const none = pack(look.none), flat = look.flat ? pack(look.flat) : -1;
    const palette = flat >= 0 ? [] : this.palette(look.ramp, pack);
    // 256 is a pixel covered wholly; what is fainter than one step would leave nothing, however often it came.
    const alpha = Math.max(2, look.alpha * 256);
    for (let gap = 0; gap + 1 < axes.length; ++gap) {
      const left = Math.round(at[gap] * width), span = Math.max(1, Math.round(at[gap + 1] * width) - left);
      // Where between its two ends the line is at each column; the same for all.
      const share = new Float32Array(span + 1);
      for (let k = 0; k <= span; ++k) {
        const t = k / span;
        share[k] = look.curved ? t + (t * t * (3 - 2 * t) - t) * 0.72 : t;
      }
      const a = axes[gap], b = axes[gap + 1];
      for (let i = from; i < to; ++i) {
        const row = this.rows[i];
        const color = flat >= 0 ? flat : shades[row] === 255 ? none : palette[shades[row]];
        const red = color & 255, green = (color >> 8) & 255, blue = color >> 16;
        const y0 = top + (1 - a[row]) * inner, rise = top + (1 - b[row]) * inner - y0;
        let y = y0;
        for (let k = 0; k < span; ++k) {
          const next = y0 + rise * share[k + 1];
          // A column of the line: half a pixel above to half a pixel below what it passes here.
          const low = (y < next ? y : next) - 0.5, high = (y < next ? next : y) + 0.5;
          y = next;
          const first = low < 0 ? 0 : low | 0, last = high >= height ? height - 1 : high | 0;
          // A steep line lies over more pixels of its column, none of them all through.
          const strength = alpha / (0.7 + (high - low) * 0.3);
          let p = first * width + left + k;
          for (let py = first; py <= last; ++py, p += width) {
            const covered = (py + 1 < high ? py + 1 : high) - (py > low ? py : low);
            const s = (covered * strength) | 0;
            if (s <= 0) continue;
            const under = pixels[p];
            const below = under >>> 24;
            if (below === 0) {
              pixels[p] = ((s > 255 ? 255 : s) << 24) | color;
              continue;
            }
            const out = s + ((below * (256 - s)) >> 8);
            const own = ((s << 8) / out) | 0;
            const r = under & 255, g = (under >> 8) & 255, bl = (under >> 16) & 255;
            pixels[p] = ((out > 255 ? 255 : out) << 24) | ((bl + (((blue - bl) * own) >> 8)) << 16) | ((g + (((green - g) * own) >> 8)) << 8) | (r + (((red - r) * own) >> 8));
          }
        }
      }
    }
  }

  private readonly kept = { ramp: [] as string[], colors: [] as number[] };

  private palette(ramp: string[], pack: (color: string) => number): number[] {
    if (this.kept.ramp !== ramp) Object.assign(this.kept, { ramp, colors: Array.from({ length: 64 }, (_, i) => pack(shade(ramp, i / 63))) });
    return this.kept.colors;
  }

  show(): void {
    if (!this.dirty) return;
    this.dirty = false;
    this.canvas.getContext("2d")!.putImageData(this.image, 0, 0);
  }

  dispose(): void {}
}
