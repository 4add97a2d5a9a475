import { defineConfig, type Options } from 'tsup'

const config: Options = defineConfig({ entry: ['main.ts'], format: 'esm', target: 'node20', dts: false }) as Options
export default config
