import { svelte } from '@sveltejs/vite-plugin-svelte';
import { defineConfig } from 'vite';
import type { Plugin, UserConfig } from 'vite';

/** Headers that let a page share memory between threads; `eigenlens lab` sends them too, other servers may. */
const isolation = { 'Cross-Origin-Opener-Policy': 'same-origin', 'Cross-Origin-Embedder-Policy': 'require-corp' };

/** Every browser that runs the lab reads WOFF2: the other two forms of KaTeX's fonts stay out of the build. */
function onlyWoff2(): Plugin {
  return {
    name: 'only-woff2',
    enforce: 'pre',
    transform: {
      filter: { id: /katex\.min\.css$/ },
      handler: (css) => css.replace(/,url\([^)]*\.(?:woff|ttf)\) format\("(?:woff|truetype)"\)/g, ''),
    },
  };
}

const config: UserConfig = defineConfig({
  root: import.meta.dirname,
  // Relative: the build works under any path.
  base: './',
  plugins: [svelte(), onlyWoff2()],
  // The usual build for WebGPU holds a file of 27 MB, more than static hosts take; this one needs a browser with JSPI.
  resolve: { alias: { 'onnxruntime-web/webgpu': 'onnxruntime-web/jspi' } },
  build: {
    outDir: '../dist/lab',
    emptyOutDir: true,
    target: 'esnext',
    // Models and fonts stay files, which the browser may keep.
    assetsInlineLimit: 0,
    chunkSizeWarningLimit: 1000,
  },
  worker: { format: 'es' },
  server: { headers: isolation },
  preview: { headers: isolation },
});

export default config;
