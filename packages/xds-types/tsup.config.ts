import { defineConfig, type Options } from 'tsup'

// Files as they are, not bundled: a consumer loads only the packages it names.
const config: Options = defineConfig({
  entry: ['src/**/*.ts', '!src/**/*.test.ts'],
  format: 'esm',
  target: 'node20',
  bundle: false,
  dts: false,
  sourcemap: false,
  clean: false,
  esbuildOptions(options) {
    options.minifyWhitespace = true
  },
}) as Options
export default config
