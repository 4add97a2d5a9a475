import type { KindName, MeshService, MeshSnapshot } from '@heddle/config-model'
import type { Cells } from './cells.js'

/** A snapshot whose readers are made anew when what they read is another in the next one. */
export function trackedSnapshot(cells: Cells, current: () => MeshSnapshot): MeshSnapshot {
  return {
    get revision() {
      return cells.input('revision', () => current().revision)
    },
    get meshConfig() {
      return cells.input('meshConfig', () => current().meshConfig)
    },
    // A store keeps to it.
    get sidecarHosts() {
      return current().sidecarHosts
    },
    get services() {
      return cells.input('services', () => current().services)
    },
    list: <K extends KindName>(kind: K) => cells.input(`list ${kind}`, () => current().list(kind)),
    get: <K extends KindName>(kind: K, namespace: string, name: string) =>
      cells.input(`get ${kind} ${namespace}/${name}`, () => current().get(kind, namespace, name)),
    servicesOf: (hostname) => cells.input(`services ${hostname}`, () => current().servicesOf(hostname)),
    endpoints: (service, portName) => {
      const named = { namespace: service.namespace, hostname: service.hostname } as MeshService
      return cells.input(`endpoints ${service.namespace}/${service.hostname}/${portName}`, () =>
        current().endpoints(named, portName),
      )
    },
  }
}
