// SPDX-License-Identifier: Apache-2.0
// What can be done with a sweep from here.
import type { SweepDetail } from "../api/types";
import type { SweepStore } from "../data/sweep_store";

export function SweepActions(_props: { store: SweepStore; detail: SweepDetail }) {
  return null;
}
