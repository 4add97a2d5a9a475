import { createSeededRandom } from '@heddle/runtime/testing'
import { expect, it } from 'vitest'
import type { AnyResource } from './kinds/index.js'
import { readYaml } from './read.js'
import { keyOf, type ResourceKey } from './resource.js'
import type { MeshSnapshot } from './snapshot.js'
import { createStore } from './store.js'

// Small sets of names, so that batches meet.
function randomResource(pick: (n: number) => number): AnyResource {
  const ns = `ns${pick(2)}`
  const app = `app${pick(3)}`
  const texts = [
    `apiVersion: v1\nkind: Service\nmetadata: {name: s${pick(4)}, namespace: ${ns}}\nspec: {selector: {app: ${app}}, ports: [{name: http, port: 80, targetPort: ${80 + pick(3)}}]}`,
    `apiVersion: networking.istio.io/v1\nkind: WorkloadEntry\nmetadata: {name: w${pick(5)}, namespace: ${ns}}\nspec: {address: 10.0.0.${pick(5)}, labels: {app: ${app}}}`,
    `apiVersion: networking.istio.io/v1\nkind: ServiceEntry\nmetadata: {name: e${pick(3)}, namespace: ${ns}}\nspec: {hosts: [h${pick(3)}.example], resolution: STATIC, ports: [{number: 80, name: http, protocol: HTTP}], workloadSelector: {labels: {app: ${app}}}}`,
    `apiVersion: discovery.k8s.io/v1\nkind: EndpointSlice\nmetadata: {name: sl${pick(4)}, namespace: ${ns}, labels: {kubernetes.io/service-name: s${pick(4)}}}\naddressType: IPv4\nports: [{name: http, port: 81}]\nendpoints: [{addresses: [10.1.0.${pick(4)}]}]`,
    `apiVersion: v1\nkind: Pod\nmetadata: {name: p${pick(4)}, namespace: ${ns}, labels: {app: ${app}}}\nstatus: {podIP: 10.1.0.${pick(4)}, conditions: [{type: Ready, status: "${pick(2) === 0}"}]}`,
  ]
  return readYaml(texts[pick(texts.length)]!.replace('"true"', '"True"'), { file: 'f' }).resources[0]!
}

function contentOf(snapshot: MeshSnapshot): unknown {
  return snapshot.services.map((service) => [service, service.ports.map(({ name }) => snapshot.endpoints(service, name))])
}

it('is after any batches what it is when built at once, and keeps what did not change', () => {
  const random = createSeededRandom(7)
  const pick = (n: number): number => Math.floor(random.next() * n)
  const store = createStore()
  const present = new Map<ResourceKey, AnyResource>()
  for (let batch = 0; batch < 300; batch++) {
    const set = Array.from({ length: pick(4) }, () => randomResource(pick))
    const remove = [...present.keys()].filter(() => pick(10) === 0)
    const before = store.snapshot()
    const frozen = JSON.stringify(contentOf(before))
    for (const key of remove) present.delete(key)
    for (const resource of set) present.set(keyOf(resource), resource)
    store.apply({ set, remove })
    const after = store.snapshot()

    const whole = createStore()
    whole.apply({ set: [...present.values()] })
    expect(contentOf(after)).toEqual(contentOf(whole.snapshot()))
    expect(JSON.stringify(contentOf(before))).toBe(frozen)
    for (const service of after.services) {
      const [old] = before.servicesOf(service.hostname).filter(({ namespace }) => namespace === service.namespace)
      if (old === undefined) continue
      if (JSON.stringify(old) === JSON.stringify(service)) expect(service).toBe(old)
      for (const { name } of service.ports) {
        const [was, is] = [before.endpoints(old, name), after.endpoints(service, name)]
        if (JSON.stringify(was) === JSON.stringify(is)) expect(is).toBe(was)
      }
    }
  }
}, 30_000)
