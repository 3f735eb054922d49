// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from "vitest/config";

// The page runs under `default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data: blob:; connect-src 'self'`:
// nothing is inlined, and paths are relative, so that it is served from anywhere.
export default defineConfig({
  base: "./",
  oxc: { jsx: { runtime: "automatic", importSource: "preact" } },
  build: {
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 400,
  },
  server: { proxy: { "/api": process.env.HDRIVE_PORTAL ?? "http://127.0.0.1:8641" } },
  test: { include: ["tests/unit/**/*.test.ts"], environment: "node" },
});
