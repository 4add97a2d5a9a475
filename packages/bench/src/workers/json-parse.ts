import { ISTIO_SHAPES, shapeObjects } from '../translator/istio-shapes.js'
import { serveTimed } from './timed.js'

// JSON.parse of 1 MB of configuration, such as a control plane reads: how fast this machine is beside another.

const LENGTH = 1_000_000
const [shape] = ISTIO_SHAPES
if (shape === undefined) throw new Error('no shapes')
const objects: string[] = []
let length = 0
for (const object of shapeObjects(shape, 0)) {
  if (length >= LENGTH) break
  const json = JSON.stringify(object)
  objects.push(json)
  length += json.length + 1
}
const text = `[${objects.join()}]`
let parsed: unknown
await serveTimed({
  check() {
    if (Math.abs(text.length - LENGTH) > LENGTH / 10) throw new Error(`${text.length} characters are not 1 MB`)
  },
  run() {
    parsed = JSON.parse(text)
  },
  more: () => ({ 'objects parsed': Array.isArray(parsed) ? parsed.length : 0 }),
})
