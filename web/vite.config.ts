import tailwindcss from "@tailwindcss/vite";
import react from "@vitejs/plugin-react";
import { fileURLToPath } from "node:url";
import type { Plugin } from "vite";
import { defineConfig } from "vitest/config";

const server = process.env.TURNWISE_URL ?? "http://127.0.0.1:8377";
const native = ["/chat", "/sessions", "/turns", "/configs", "/events", "/search", "/providers", "/sign-in", "/sign-out", "/health", "/ready", "/openapi.json", "/docs"];

const at = (path: string) => fileURLToPath(new URL(path, import.meta.url));

/** Every browser that runs the page reads WOFF2; KaTeX brings each font three times. */
const onlyWoff2: Plugin = {
  name: "only-woff2",
  enforce: "pre",
  transform: (code, id) => (id.endsWith("katex.min.css") || id.endsWith("katex.css") ? code.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("[a-z]+"\)/g, "") : null),
};

const neverWritten = Object.fromEntries(
  ["mdast-util-to-markdown", "mdast-util-to-markdown-cjk-friendly", "mdast-util-to-markdown-cjk-friendly-gfm-strikethrough"].map((name) => [name, at("./src/content/neverWritten.ts")]),
);

export default defineConfig({
  plugins: [react(), tailwindcss(), onlyWoff2],
  resolve: { alias: { "~": at("./src"), "react-remove-scroll": at("./src/ui/noScrollLock.tsx"), ...neverWritten } },
  // The page runs under a strict content security policy: nothing may be inlined as a data URL.
  build: { target: "es2022", assetsInlineLimit: 0, chunkSizeWarningLimit: 900, reportCompressedSize: false },
  server: { proxy: Object.fromEntries(native.map((path) => [path, { target: server, changeOrigin: true }])) },
  test: { include: ["src/**/*.test.{ts,tsx}"] },
});
