import { defineConfig, type Options } from 'tsup'

// The generated modules are entries of their own, so that a consumer loads only what it names; what they share becomes chunks.
const config: Options = defineConfig({
  entry: ['src/index.ts', 'src/discovery.ts', 'src/known.ts', 'src/resources/index.ts', 'src/gen/**/*.ts'],
  format: 'esm',
  target: 'node20',
  dts: false,
  splitting: true,
  sourcemap: true,
  clean: false,
}) as Options
export default config
