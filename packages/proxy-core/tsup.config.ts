import { defineConfig, type Options } from 'tsup'

const config: Options = defineConfig({
  entry: ['src/index.ts'],
  format: 'esm',
  target: 'node20',
  dts: false,
  sourcemap: true,
  clean: false,
  // Optional dependencies are not left out by themselves; its native part must stay beside it.
  external: ['koffi'],
}) as Options
export default config
