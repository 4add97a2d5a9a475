import { createSelfSignedAuthority, createServerCertificate, type Identity, type WorkloadCertificate } from '@heddle/ca'
import { type Clock, createWatch, type Logger, type Random, type Watch } from '@heddle/runtime'

/** What the proxy is who it is by. */
export interface Certificate {
  readonly identity: Watch<Identity | undefined>
  ready(): Promise<unknown>
  close(): void
}

/**
 * A certificate that nobody believes but its holder, for a mesh without a CA (controlPlaneAuthPolicy NONE): a proxy waits for one before it listens,
 * for ever where none comes. Plaintext works with it, mutual TLS with nobody.
 */
export function createOwnCertificate({ clock, random, logger }: { clock: Clock; random: Random; logger: Logger }): Certificate {
  const identity = createWatch<Identity | undefined>(undefined)
  let kept: WorkloadCertificate | undefined
  return {
    identity,
    async ready() {
      const authority = await createSelfSignedAuthority({ clock })
      kept = createServerCertificate({ authority, names: [{ dns: 'nobody.invalid' }], clock, random, logger })
      kept.identity.subscribe(identity.set)
      identity.set(await kept.ready())
    },
    close: () => kept?.close(),
  }
}
