// SPDX-License-Identifier: Apache-2.0
// Who draws when. Charts ask; a frame serves as many as its budget allows and leaves the rest to the next, the one under the hand first.
// So brushing one chart stays fluid however many others follow it.

export interface Job {
  draw(): void;
  visible: boolean;
  dirty: boolean;
  urgent: boolean;
}

const BUDGET_MS = 9;
const queue = new Set<Job>();
let pending = 0;

function serve(): void {
  pending = 0;
  const start = performance.now();
  const jobs = [...queue].sort((a, b) => Number(b.urgent) - Number(a.urgent));
  for (const job of jobs) {
    // One drawing may take away the chart of another.
    if (!queue.delete(job)) continue;
    job.dirty = false;
    job.draw();
    if (performance.now() - start > BUDGET_MS) break;
  }
  // What was asked for while drawing has asked for the next frame already.
  if (queue.size && !pending) pending = requestAnimationFrame(serve);
}

export function request(job: Job): void {
  job.dirty = true;
  if (!job.visible) return;
  queue.add(job);
  if (!pending) pending = requestAnimationFrame(serve);
}

export function forget(job: Job): void {
  queue.delete(job);
}
