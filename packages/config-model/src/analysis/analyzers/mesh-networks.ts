import type { Analyzer } from '../analyzer.js'
import type { ConfigObject } from '../object.js'

const REGISTRIES = ['Mock', 'Kubernetes', 'External']
const REMOTE = 'istio/multiCluster'

/** Networks of registries that nobody serves. */
export const meshNetworks: Analyzer = {
  name: 'meshnetworks.MeshNetworksAnalyzer',
  summary: 'MeshNetworks with service registries that are unknown',
  messages: ['UnknownMeshNetworksServiceRegistry'],
  analyze(context, report) {
    const remote = context.of('Secret').filter(({ metadata }) => metadata.labels[REMOTE] === 'true')
    const known = new Set([...REGISTRIES, ...remote.flatMap(({ spec }) => Object.keys({ ...spec.data, ...spec.stringData }))])
    const { rootNamespace } = context.meshConfig
    const document = context.find('ConfigMap', `${rootNamespace}/istio`)?.document
    const object: ConfigObject = {
      kind: 'MeshNetworks',
      group: '',
      known: undefined,
      metadata: { name: 'meshnetworks', namespace: rootNamespace, labels: {}, annotations: {} },
      spec: {},
      written: {},
      ...(document === undefined ? {} : { document }),
    }
    for (const [name, network] of Object.entries(context.meshNetworks.networks)) {
      for (const { fromRegistry } of network.endpoints ?? []) {
        if (fromRegistry === undefined || known.has(fromRegistry)) continue
        report('UnknownMeshNetworksServiceRegistry', object, 'data.meshNetworks', fromRegistry, name)
      }
    }
  },
}
