import type { MeshSnapshot } from '@heddle/config-model'
import type { Diagnostic } from '@heddle/runtime'
import { knownTypes } from '@heddle/xds-types/known'
import { type ProxyDescriptor, translate } from '../src/index.js'

/** Only what the user's own configuration or the cluster lacks; `translate.unknown_route` and its kin are mistakes of the translator. */
const OF_THE_USER = /^(translate\.unknown_cluster|secret\.)/

/** What is wrong with a proxy's resources: a message that breaks a rule of Envoy's API, or leads nowhere and no diagnostic of the user's tells why. */
export function problemsOf(snapshot: MeshSnapshot, proxy: ProxyDescriptor): string[] {
  const { resources, diagnostics } = translate(snapshot, proxy)
  const problems = resources.groups.flatMap((group) =>
    [...group.resources].flatMap(([typeUrl, list]) => {
      const type = knownTypes.find(typeUrl)
      if (type === undefined) return [`no type ${typeUrl}`]
      return list.flatMap((resource) => type.validate(resource, knownTypes).map((d) => told(`${typeUrl} ${nameOf(resource)}`, d)))
    }),
  )
  const names = resources.groups.flatMap((group) =>
    [...group.resources].flatMap(([typeUrl, list]) => list.map((resource) => `${typeUrl} ${nameOf(resource)}`)),
  )
  const twice = names.filter((name, i) => names.indexOf(name) !== i).map((name) => `${name} stands there twice`)
  const ours = diagnostics.filter(({ code }) => !OF_THE_USER.test(code)).map((d) => told('check', d))
  return [...problems, ...twice, ...ours]
}

function told(where: string, { code, path, message }: Diagnostic): string {
  return `${where} ${path}: ${code} ${message}`
}

function nameOf(resource: object): string {
  const { name, cluster_name } = resource as { name?: string; cluster_name?: string }
  return cluster_name ?? name ?? ''
}
