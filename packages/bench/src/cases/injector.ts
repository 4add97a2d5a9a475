import type { BenchCase, Contender } from '../bench-case.js'
import { looped } from '../looped.js'
import { IN_FLIGHT, webhook } from './injector-webhook.js'

/** What the design asks for: 2,000 pods a second a core. */
const TARGET = 2_000

export function injectorCases(): readonly BenchCase[] {
  return [
    {
      bench: 'injector',
      name: 'a pod to the injected pod and its JSON patch',
      unit: 'pods/s',
      better: 'higher',
      ours: looped({ name: 'injector', worker: 'injector', args: [], verify: verifyInjection }),
      peers: [target()],
    },
    {
      bench: 'injector',
      name: `the webhook, ${IN_FLIGHT.toLocaleString('en-US')} reviews in flight over TLS`,
      unit: 'reviews/s',
      better: 'higher',
      ours: webhook('injector'),
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
