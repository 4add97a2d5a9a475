import type { MeshService } from '@heddle/config-model'
import { formatSpiffeId } from '@heddle/runtime'
import { type Build, endpointsOf, originalOf } from '../build.js'

/** The SPIFFE identities that the endpoints of a service may show, in every trust domain of the mesh, sorted. */
export function identitiesOf(build: Build, service: MeshService): readonly string[] {
  const found = new Set<string>(service.subjectAltNames)
  for (const port of originalOf(build, service).ports) {
    for (const { namespace, serviceAccount } of endpointsOf(build, service, port.name)) {
      if (serviceAccount === '') continue
      for (const trustDomain of [build.mesh.trustDomain, ...build.mesh.trustDomainAliases]) {
        found.add(
          serviceAccount.startsWith('spiffe://') ? serviceAccount : formatSpiffeId({ trustDomain, namespace, serviceAccount }),
        )
      }
    }
  }
  return [...found].sort()
}
