import { defineConfig, type Options } from 'tsup'

const SHARED: Options = { format: 'esm', target: 'node20', bundle: false, dts: false, sourcemap: false, clean: false }

// Files as they are, not bundled: a consumer loads only the packages it names. Short without losing what a bundler needs: esbuild
// drops /* @__PURE__ */ together with whitespace, and without it nothing of a module could be left out of a page.
/** What has no such marks, since it is used as a whole by every message. */
const CODEC: readonly string[] = ['encode', 'decode', 'from-json', 'to-json', 'scalars', 'write-plan', 'wire/*'].map(
  (name) => `src/${name}.ts`,
)

const config: Options[] = defineConfig([
  {
    ...SHARED,
    entry: ['src/**/*.ts', '!src/**/*.test.ts', '!src/gen/all.ts', ...CODEC.map((file) => `!${file}`)],
    esbuildOptions(options) {
      options.minifySyntax = true
      options.minifyIdentifiers = true
    },
  },
  {
    ...SHARED,
    entry: [...CODEC],
    esbuildOptions(options) {
      options.minify = true
    },
  },
  {
    ...SHARED,
    // Bundled or not as a whole.
    entry: { 'gen/all': 'src/gen/all.ts' },
    esbuildOptions(options) {
      options.minifyWhitespace = true
    },
  },
]) as Options[]
export default config
