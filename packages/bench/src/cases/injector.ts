import type { BenchCase, Contender } from '../bench-case.js'
import { looped } from '../looped.js'

/** What the design asks for: 2,000 pods a second a core. */
const TARGET = 2_000
/** Reviews that one operation of the worker answers. */
const IN_FLIGHT = 1_000

export function injectorCases(): readonly BenchCase[] {
  return [
    {
      bench: 'injector',
      name: 'a pod to the injected pod and its JSON patch',
      unit: 'pods/s',
      better: 'higher',
      ours: looped({ name: 'injector', worker: 'injector', args: ['inject'], verify: verifyInjection }),
      peers: [target()],
    },
    {
      bench: 'injector',
      name: 'the webhook, 1,000 reviews in flight over TLS',
      unit: 'reviews/s',
      better: 'higher',
      ours: looped({ name: 'injector', worker: 'injector', args: ['webhook'], units: () => IN_FLIGHT, verify: verifyReviews }),
      peers: [target()],
    },
  ]
}

function target(): Contender {
  return {
    name: `target of ${TARGET.toLocaleString('en-US')}/s`,
    missing: undefined,
    goal: { must: 1, after: 2 },
    check: async () => {},
    measure: async () => ({ value: TARGET, cpuMicros: undefined }),
  }
}

function verifyInjection(shown: unknown): void {
  const { object, patch } = shown as { object: { spec: { initContainers: { name: string }[] } }; patch: unknown[] }
  const names = object.spec.initContainers.map(({ name }) => name).join()
  if (names !== 'istio-init,istio-proxy' || patch.length === 0)
    throw new Error(`the pod has ${names}, its patch ${patch.length} steps`)
}

function verifyReviews(shown: unknown): void {
  const { answered } = shown as { answered: number }
  if (answered !== IN_FLIGHT) throw new Error(`${answered} reviews were answered`)
}
