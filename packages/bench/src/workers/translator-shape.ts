import { createStore } from '@heddle/config-model'
import { createTranslator, translate } from '@heddle/translator'
import { createDiffer, encodeAll } from '../translator/encode-all.js'
import { ISTIO_SHAPES, shapeMeshConfig, shapeObjects, shapeProxy, shapeTypes } from '../translator/istio-shapes.js'
import { serveTimed } from './timed.js'

// usage: SHAPE full | change. One proxy: the resources that istiod's figures are of, built and written, or what one change makes of all. As in
// Istio's benchmark, what is found out beforehand (there the push context, the Sidecar scope, the merged Gateways) stays from one round to the next.

const [name, mode] = process.argv.slice(2)
const shape = ISTIO_SHAPES.find((one) => one.name === name)
if (shape === undefined) throw new Error(`no shape ${name}`)
const proxy = shapeProxy(shape)
const store = createStore({ meshConfig: shapeMeshConfig() })
store.apply({ set: shapeObjects(shape, 0) })

function check(bytes: number): void {
  if (bytes < 1_000) throw new Error(`${bytes} bytes are not this shape`)
}

if (mode === 'full') {
  const types = shapeTypes(shape)
  const written = (): number => encodeAll(translate(store.snapshot(), proxy, { types }).resources)
  await serveTimed({
    check: () => check(written()),
    run: () => void written(),
    more: () => ({ 'answer kB': Math.round(written() / 1000) }),
  })
} else {
  const translator = createTranslator(store.snapshot())
  store.subscribe(translator.update)
  const watch = translator.watch(proxy)
  const differ = createDiffer()
  let held = watch.current
  differ.diff(undefined, held)
  let sent = 0
  watch.subscribe((set) => {
    sent += differ.diff(held, set)
    held = set
  })
  // What changes, read beforehand: two states that take turns.
  const first = new Map(
    shapeObjects(shape, 0).map((resource) => [`${resource.kind} ${resource.metadata.name}`, JSON.stringify(resource)]),
  )
  const changed = shapeObjects(shape, 1).filter(
    (resource) => first.get(`${resource.kind} ${resource.metadata.name}`) !== JSON.stringify(resource),
  )
  const names = new Set(changed.map((resource) => `${resource.kind} ${resource.metadata.name}`))
  const original = shapeObjects(shape, 0).filter((resource) => names.has(`${resource.kind} ${resource.metadata.name}`))
  let turn = 0
  const apply = (): void => void store.apply({ set: ++turn % 2 === 0 ? original : changed })
  await serveTimed({
    check() {
      check(differ.bytes)
      const before = sent
      apply()
      if (sent === before && shape.name !== 'externalname') throw new Error('the change reached nobody')
    },
    run: apply,
    more: () => ({ 'objects changed': changed.length }),
  })
}
