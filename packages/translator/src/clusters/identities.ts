import type { MeshService, MeshSnapshot } from '@heddle/config-model'
import { formatSpiffeId } from '@heddle/runtime'
import { type Build, originalOf } from '../build.js'

/** The SPIFFE identities that the endpoints of a service may show, in every trust domain of the mesh, sorted. */
export function identitiesOf(build: Build, service: MeshService): readonly string[] {
  const { snapshot, common } = build
  const original = originalOf(build, service)
  return common.of('identities', [original], () => identities(snapshot, original))
}

function identities({ meshConfig, endpoints }: MeshSnapshot, service: MeshService): readonly string[] {
  const trustDomains = [meshConfig.trustDomain, ...meshConfig.trustDomainAliases]
  const found = new Set<string>(service.subjectAltNames)
  for (const port of service.ports) {
    for (const { namespace, serviceAccount } of endpoints(service, port.name)) {
      if (serviceAccount === '') continue
      for (const trustDomain of trustDomains) {
        found.add(
          serviceAccount.startsWith('spiffe://') ? serviceAccount : formatSpiffeId({ trustDomain, namespace, serviceAccount }),
        )
      }
    }
  }
  return [...found].sort()
}
