import { createStore, defaultMeshConfig, readYaml } from '@heddle/config-model'
import { each, type Suite, type Verdict } from '../suite.js'
import { configDifference } from './converted-config.js'

interface Case {
  readonly id: string
  readonly input: string
  readonly want: string
}

/** Kubernetes Ingress -> Istio's Gateways and VirtualServices. */
export const ingress: Suite = {
  name: 'ingress',
  file: 'ingress.json',
  run: (data) => each(data.json() as Case[], ({ id }) => id, judge),
}

function judge({ input, want }: Case): Verdict {
  const meshConfig = { ...defaultMeshConfig, ingressControllerMode: 'DEFAULT' as const }
  const store = createStore({ domainSuffix: 'mydomain', meshConfig, allocateAddresses: false })
  store.apply({ set: readYaml(input, { file: 'input.yaml' }).resources })
  return configDifference(want, store.snapshot())
}
