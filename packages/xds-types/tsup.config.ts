import { defineConfig, type Options } from 'tsup'

const common: Options = {
  format: 'esm',
  target: 'node20',
  dts: false,
  sourcemap: false,
  clean: false,
  esbuildOptions(options) {
    options.minifyWhitespace = true
  },
}

const config: Options[] = [
  // Files as they are, not bundled: a consumer loads only the packages it names.
  { ...common, entry: ['src/**/*.ts', '!src/**/*.test.ts', '!src/known.ts', '!src/gen/modules.ts'], bundle: false },
  // Whoever wants everything should not open 300 files for it: one file with all tables, beside the same codec (155 ms -> 70 ms).
  {
    ...common,
    entry: ['src/known.ts'],
    bundle: true,
    splitting: false,
    esbuildPlugins: [
      {
        name: 'codec-outside',
        setup(build) {
          build.onResolve({ filter: /(^|\/)(table|registry|resources\/index)\.js$/ }, ({ path }) => ({
            path: `./${path.replace(/^[./]+/, '')}`,
            external: true,
          }))
        },
      },
    ],
  },
]
export default defineConfig(config) as Options[]
