// How the pages are built: relative addresses, hashed names below `static-files/`, nothing inlined.

import { svelte } from "@sveltejs/vite-plugin-svelte";
import { readFileSync } from "node:fs";
import { defineConfig, type Plugin } from "vite";

const server = process.env.RUNLEDGER_URL ?? "http://127.0.0.1:5000";
const proxied = ["/ajax-api", "/api", "/get-artifact", "/model-versions", "/graphql", "/version", "/health"];
const proxy = Object.fromEntries(proxied.map((path) => [path, { target: server, changeOrigin: true }]));

/** `vite preview` answers under the policies that the binary answers with. */
function policies(): Plugin {
  const policy = (name: string) => readFileSync(new URL(`policies/${name}.txt`, import.meta.url), "utf8").trim().replaceAll("\n", " ");
  return {
    name: "policies",
    configurePreviewServer(preview) {
      preview.middlewares.use((request, response, next) => {
        const frame = request.url?.split("?")[0]?.endsWith("artifact-frame.html");
        response.setHeader("Content-Security-Policy", policy(frame ? "frame" : "page"));
        next();
      });
    },
  };
}

export default defineConfig({
  root: "web",
  base: "./",
  plugins: [svelte({ configFile: "../svelte.config.js" }), policies()],
  build: {
    outDir: process.env.RUNLEDGER_UI_OUT ?? "../dist",
    emptyOutDir: true,
    assetsDir: "static-files",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    target: "es2023",
    rolldownOptions: {
      input: { index: "web/index.html", frame: "web/artifact-frame.html" },
      // What the first page needs is one file. By itself each set of modules that some other page needs too would be a
      // file of its own: forty, which come six at a time.
      output: { codeSplitting: { groups: [{ name: "app", test: /\/web\/app\/main\.ts$/ }] } },
    },
  },
  worker: { format: "es" },
  server: { proxy },
  preview: { proxy },
  test: { root: "web", include: ["**/*.test.ts"], environment: "node" },
} as Parameters<typeof defineConfig>[0]);
