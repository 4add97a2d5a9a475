import { defineConfig, type Options } from 'tsup'

const config: Options = defineConfig({
  entry: ['src/demo.ts', 'src/control-plane.ts', 'src/sidecar.ts', 'src/app.ts'],
  format: 'esm',
  target: 'node20',
  dts: false,
  sourcemap: true,
}) as Options
export default config
