import { serveTimed } from './timed.js'

// JSON.parse of 1 MB: how fast this machine is beside another.

const text = JSON.stringify(
  Array.from({ length: 5_000 }, (_, i) => ({
    name: `outbound|80||service-${i}.example.com`,
    type: 'EDS',
    weight: i,
    tags: ['a', 'b'],
    on: true,
    more: { zone: `zone-${i % 3}`, port: 8080 + (i % 9), text: 'some words to fill a line of a configuration' },
  })),
).slice(0)
let parsed: unknown
await serveTimed({
  check() {
    if (Math.abs(text.length - 1e6) > 1e5) throw new Error(`${text.length} characters are not 1 MB`)
  },
  run() {
    parsed = JSON.parse(text)
  },
  more: () => ({ 'objects parsed': Array.isArray(parsed) ? parsed.length : 0 }),
})
