// Options of the Svelte compiler.

import { vitePreprocess } from "@sveltejs/vite-plugin-svelte";

export default {
  preprocess: vitePreprocess(),
  compilerOptions: {
    runes: true,
    // Elements are made one by one, never from text: the policy of trusted types allows no `innerHTML`.
    fragments: "tree",
  },
};
