// The chart alone in one file, whole: put into the brief's page and handed to notebooks, never served.
import { defineConfig } from "vite";

export default defineConfig({
  build: {
    outDir: "../src/airpocket/delivery/embedded",
    emptyOutDir: true,
    target: "es2022",
    modulePreload: false,
    rolldownOptions: {
      input: "src/alone/main.ts",
      preserveEntrySignatures: "strict",
      output: { entryFileNames: "chart.js" },
    },
  },
});
