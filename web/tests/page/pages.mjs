// SPDX-License-Identifier: Apache-2.0
// Every page there is, as tests and pictures visit it.
export const PAGES = [
  { name: "sweeps", hash: () => "#/" },
  { name: "sweep-live", hash: (s) => `#/sweeps/${s.live}` },
  { name: "sweep-small", hash: (s) => `#/sweeps/${s.small}`, sizes: [1280], themes: ["light"] },
  { name: "sweep-large", hash: (s) => `#/sweeps/${s.large}`, sizes: [1920], themes: ["light", "dark"] },
  { name: "sweep-huge", hash: (s) => `#/sweeps/${s.huge}`, sizes: [1920], themes: ["dark"] },
  { name: "decisions", hash: (s) => `#/sweeps/${s.live}/decisions`, sizes: [1280], themes: ["light"] },
  { name: "configuration", hash: (s) => `#/sweeps/${s.live}/configuration`, sizes: [1280], themes: ["light", "dark"] },
  { name: "log", hash: (s) => `#/sweeps/${s.live}/log`, sizes: [1280], themes: ["light"] },
  { name: "run-best", hash: (s) => `#/sweeps/${s.live}/runs/20` },
  { name: "run-stopped", hash: (s) => `#/sweeps/${s.live}/runs/33`, sizes: [1280] },
  { name: "run-live", hash: (s) => `#/sweeps/${s.live}/runs/37`, sizes: [1280], themes: ["dark"] },
  { name: "compare-runs", hash: (s) => `#/sweeps/${s.live}/compare?runs=20,27,28,33,37`, sizes: [375, 1280] },
  { name: "compare-sweeps", hash: (s) => `#/compare?sweeps=${s.live},${s.small},${s.large},${s.orphaned}`, sizes: [1280] },
  { name: "targets", hash: () => "#/targets", sizes: [375, 1280] },
  { name: "new", hash: () => "#/new", sizes: [375, 1280, 1920] },
];
