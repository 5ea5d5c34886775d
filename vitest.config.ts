import { defineConfig } from "vitest/config";

// Two projects: pure code shares one module graph a thread and is quick; what starts processes,
// workers or native modules is kept apart.
const apart = ["test/cli*.test.ts", "test/report*.test.ts", "test/**/*.process.test.ts", "src/figures/**/*.test.ts"];

export default defineConfig({
  test: {
    testTimeout: 60_000,
    maxWorkers: 2,
    projects: [
      {
        test: {
          name: "rooms",
          setupFiles: ["test/seed.ts"],
          include: ["src/**/*.test.ts", "test/**/*.test.ts"],
          exclude: apart,
          pool: "threads",
          isolate: false,
          testTimeout: 60_000,
          hookTimeout: 120_000,
        },
      },
      {
        test: {
          name: "apart",
          setupFiles: ["test/seed.ts"],
          include: apart,
          pool: "forks",
          testTimeout: 120_000,
          hookTimeout: 120_000,
        },
      },
    ],
  },
});
