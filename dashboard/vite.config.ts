import react from "@vitejs/plugin-react";
import { defineConfig } from "vitest/config";

/** The service behind `npm run dev`; TAKINGS_SERVICE names another. */
const proxy = { "/api": process.env.TAKINGS_SERVICE ?? "http://127.0.0.1:8080" };

export default defineConfig({
  plugins: [react()],
  build: {
    target: "es2023",
    // Nothing becomes a data: URL, so `font-src 'self'` and `img-src 'self'` hold.
    assetsInlineLimit: 0,
    // The preload polyfill would be the page's only inline script.
    modulePreload: { polyfill: false },
    chunkSizeWarningLimit: 1200,
  },
  server: { proxy },
  preview: { proxy },
  test: {
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["tests/unit/**/*.test.{ts,tsx}"],
          environment: "node",
        },
      },
      {
        extends: true,
        test: {
          name: "e2e",
          include: ["e2e/**/*.test.ts"],
          environment: "node",
          testTimeout: 60_000,
          hookTimeout: 60_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
