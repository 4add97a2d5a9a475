import { createMemoryStore, createSelfSignedAuthority, issueIdentity } from '@heddle/ca'
import { systemClock as clock } from '@heddle/runtime'
import { dump } from 'js-yaml'

/** A web site with certificates of an authority that has nothing to do with the mesh's. */
export interface Site {
  /** What its visitors trust, PEM. */
  readonly root: string
  /** A Secret with a new key and certificate, as cert-manager would write it. */
  secretYaml(): Promise<string>
}

export async function createSite(host: string): Promise<Site> {
  const authority = await createSelfSignedAuthority({ clock, trustDomain: host, store: createMemoryStore() })
  return {
    root: authority.trustBundle.current.join(''),
    async secretYaml() {
      const { certificateChain, privateKey } = await issueIdentity(authority, { names: [{ dns: host }] })
      const secret = {
        apiVersion: 'v1',
        kind: 'Secret',
        type: 'kubernetes.io/tls',
        metadata: { name: host.replaceAll('.', '-'), namespace: 'istio-system' },
        stringData: { 'tls.crt': certificateChain, 'tls.key': privateKey },
      }
      return dump(secret, { lineWidth: -1 })
    },
  }
}
