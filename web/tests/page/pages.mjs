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
];
