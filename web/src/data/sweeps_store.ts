// SPDX-License-Identifier: Apache-2.0
// The list of sweeps, kept up to date by events.
import { signal } from "@preact/signals";
import type { Sweep } from "../api/types";
import type { Source } from "./source";

export class SweepsStore {
  readonly sweeps = signal<Sweep[] | null>(null);
  readonly problems = signal<{ directory: string; message: string }[]>([]);
  readonly error = signal("");
  readonly connected = signal(true);
  readonly over = signal(false);
  private stopListening = () => {};

  constructor(private readonly source: Source) {}

  async load(): Promise<void> {
    try {
      const { sweeps, problems } = await this.source.sweeps();
      this.sweeps.value = sweeps;
      this.problems.value = problems;
      this.error.value = "";
    } catch (error) {
      this.error.value = (error as Error).message;
    }
  }

  async open(): Promise<void> {
    await this.load();
    this.stopListening = this.source.listen(undefined, {
      sweep: (sweep) => this.put(sweep),
      gone: (id) => (this.sweeps.value = this.sweeps.value?.filter((sweep) => sweep.id !== id) ?? null),
      end: () => (this.over.value = true),
      connection: (connected) => {
        if (connected && !this.connected.value) void this.load();
        this.connected.value = connected;
      },
    });
  }

  put(sweep: Sweep): void {
    const list = this.sweeps.value ?? [];
    const known = list.some((one) => one.id === sweep.id);
    const next = known ? list.map((one) => (one.id === sweep.id ? sweep : one)) : [sweep, ...list];
    this.sweeps.value = next.sort((a, b) => Date.parse(b.created) - Date.parse(a.created));
  }

  close(): void {
    this.stopListening();
  }
}
