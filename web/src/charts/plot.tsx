// SPDX-License-Identifier: Apache-2.0
// A drawing surface: one canvas for what is drawn seldom, one above it for what follows the pointer, and the pointer's events in the
// drawing's own pixels.
import { effect } from "@preact/signals";
import { useEffect, useRef } from "preact/hooks";
import { forget, request, type Job } from "./frames";
import { CanvasPainter, SvgPainter, type Painter } from "./painter";
import { theme, type Theme } from "./theme";

export interface Size {
  width: number;
  height: number;
}

export interface PointerHandlers {
  move?(x: number, y: number): void;
  leave?(): void;
  down?(x: number, y: number, event: PointerEvent): void;
  drag?(x: number, y: number): void;
  up?(x: number, y: number, moved: boolean): void;
  double?(): void;
  cursor?(x: number, y: number): string;
}

export interface Drawing {
  /** Reads every signal that `draw` depends on. */
  watch(): void;
  draw(painter: Painter, size: Size, theme: Theme): void;
  watchOver?(): void;
  over?(painter: Painter, size: Size, theme: Theme): void;
}

/** What exports ask of a chart. */
export interface Exports {
  svg(): string;
  canvas(): HTMLCanvasElement;
}

function fit(canvas: HTMLCanvasElement, size: Size, ratio: number): CanvasRenderingContext2D {
  const width = Math.round(size.width * ratio), height = Math.round(size.height * ratio);
  if (canvas.width !== width || canvas.height !== height) {
    canvas.width = width;
    canvas.height = height;
  }
  const context = canvas.getContext("2d")!;
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, size.width, size.height);
  return context;
}

interface Props {
  label: string;
  height: number;
  drawing: Drawing;
  pointer?: PointerHandlers;
  exports?: { current: Exports | null };
}

export function Plot({ label, height, drawing, pointer, exports }: Props) {
  const box = useRef<HTMLDivElement>(null);
  const base = useRef<HTMLCanvasElement>(null);
  const top = useRef<HTMLCanvasElement>(null);
  // Closures of the newest rendering; the effects below live as long as the chart.
  const latest = useRef({ drawing, pointer });
  latest.current = { drawing, pointer };
  const state = useRef({ size: { width: 0, height }, jobs: [] as Job[], hand: false }).current;
  state.size.height = height;

  useEffect(() => {
    const element = box.current!;
    const paint = (canvas: HTMLCanvasElement | null, what: "draw" | "over") => {
      // A frame may come between the end of a chart and the end of its effects.
      if (!canvas || state.size.width < 10) return;
      const ratio = Math.min(devicePixelRatio || 1, 2);
      latest.current.drawing[what]?.(new CanvasPainter(fit(canvas, state.size, ratio), ratio), state.size, theme.value);
    };
    const draw: Job = { draw: () => paint(base.current, "draw"), visible: false, dirty: true, urgent: false };
    const over: Job = { draw: () => paint(top.current, "over"), visible: false, dirty: true, urgent: true };
    state.jobs = [draw, over];
    const all = () => state.jobs.forEach(request);
    const sizes = new ResizeObserver((entries) => {
      state.size.width = Math.floor(entries[entries.length - 1].contentRect.width);
      all();
    });
    sizes.observe(element);
    const seen = new IntersectionObserver((entries) => {
      for (const job of state.jobs) {
        // Of several crossings since the last call the newest holds.
        job.visible = entries[entries.length - 1].isIntersecting;
        if (job.visible && job.dirty) request(job);
      }
    }, { rootMargin: "120px" });
    seen.observe(element);
    const stop = [
      effect(() => {
        theme.value;
        latest.current.drawing.watch();
        request(draw);
        request(over);
      }),
      effect(() => {
        latest.current.drawing.watchOver?.();
        request(over);
      }),
    ];
    if (exports)
      exports.current = {
        svg: () => {
          const painter = new SvgPainter(state.size.width, state.size.height, theme.value.surface);
          latest.current.drawing.draw(painter, state.size, theme.value);
          return painter.toString();
        },
        canvas: () => {
          const canvas = document.createElement("canvas");
          const context = fit(canvas, state.size, 2);
          context.fillStyle = theme.value.surface;
          context.fillRect(0, 0, state.size.width, state.size.height);
          latest.current.drawing.draw(new CanvasPainter(context, 2), state.size, theme.value);
          return canvas;
        },
      };
    return () => {
      sizes.disconnect();
      seen.disconnect();
      stop.forEach((f) => f());
      state.jobs.forEach(forget);
      if (exports) exports.current = null;
    };
  }, []);

  // A new rendering means other options of the chart: draw with them.
  useEffect(() => state.jobs.forEach(request));

  const at = (event: PointerEvent): [number, number] => {
    const rect = box.current!.getBoundingClientRect();
    return [event.clientX - rect.left, event.clientY - rect.top];
  };
  const start = useRef<[number, number] | null>(null);
  const moved = useRef(false);

  return (
    <div
      ref={box}
      class="plot"
      role="img"
      aria-label={label}
      style={{ height: `${height}px` }}
      onPointerMove={(event) => {
        const [x, y] = at(event);
        const { pointer } = latest.current;
        if (start.current) {
          if (Math.hypot(x - start.current[0], y - start.current[1]) > 3) moved.current = true;
          if (moved.current) pointer?.drag?.(x, y);
          return;
        }
        pointer?.move?.(x, y);
        box.current!.style.cursor = pointer?.cursor?.(x, y) ?? "";
      }}
      onPointerLeave={() => latest.current.pointer?.leave?.()}
      onPointerDown={(event) => {
        if (event.button !== 0 || !latest.current.pointer?.down) return;
        start.current = at(event);
        moved.current = false;
        // A finger scrolls the page and taps; only mice and pens draw brushes on plots that do not say otherwise.
        if (event.pointerType !== "touch") box.current!.setPointerCapture(event.pointerId);
        state.jobs.forEach((job) => (job.urgent = true));
        latest.current.pointer.down(...start.current, event);
      }}
      onPointerUp={(event) => {
        if (!start.current) return;
        start.current = null;
        state.jobs[0].urgent = false;
        latest.current.pointer?.up?.(...at(event), moved.current);
      }}
      onPointerCancel={() => {
        if (!start.current) return;
        const [x, y] = start.current;
        start.current = null;
        latest.current.pointer?.up?.(x, y, true);
      }}
      onDblClick={() => latest.current.pointer?.double?.()}
    >
      <canvas ref={base} />
      <canvas ref={top} />
    </div>
  );
}
