import { randomBytes } from 'node:crypto'
import { organizationName } from './certificate.js'
import { bitString, boolean, context, type Der, integer, octetString, oid, sequence, time } from './der/writer.js'
import { keyIdentifier, type SubjectAltName, subjectAltName } from './extensions.js'
import { createKey, publicKeyInfo, signatureAlgorithm, signDer } from './keys.js'

type Key = Awaited<ReturnType<typeof createKey>>

/** A certificate of any shape, right or wrong, for tests. */
export interface Crafted {
  readonly der: Uint8Array
  readonly key: Key
  readonly subject: Uint8Array
}

export interface Craft {
  readonly key?: Key
  /** Who signs; default: itself. */
  readonly issuer?: Crafted
  /** Name, DER; default empty for what is signed by another, `O=test` for what signs itself. */
  readonly subject?: Uint8Array
  readonly extensions: readonly Der[]
  readonly notBefore?: number
  readonly notAfter?: number
}

export async function craft({ key, issuer, extensions, ...rest }: Craft): Promise<Crafted> {
  const own = key ?? (await createKey())
  const subject = rest.subject ?? (issuer === undefined ? organizationName('test') : sequence())
  const signer = issuer ?? { key: own, subject }
  const algorithm = signatureAlgorithm(signer.key)
  const serial = randomBytes(8)
  serial[0] = 1
  const tbs = sequence(
    context(0, integer(Uint8Array.of(2))),
    integer(new Uint8Array(serial)),
    algorithm,
    signer.subject,
    sequence(time(rest.notBefore ?? 0), time(rest.notAfter ?? Date.UTC(2049, 0, 1))),
    subject,
    publicKeyInfo(own),
    ...(extensions.length === 0 ? [] : [context(3, sequence(...extensions))]),
  )
  return { der: sequence(tbs, algorithm, bitString(signDer(signer.key, tbs))), key: own, subject }
}

export function extension(id: string, value: Der, critical = true): Der {
  return critical ? sequence(oid(id), boolean(true), octetString(value)) : sequence(oid(id), octetString(value))
}

export const SERVER_AUTH = '1.3.6.1.5.5.7.3.1'
export const CLIENT_AUTH = '1.3.6.1.5.5.7.3.2'

/** Extensions by name; `[value, critical]`. */
export const parts = {
  /** Bits of KeyUsage, first the highest: 0x80 digitalSignature, 0x04 keyCertSign, 0x02 cRLSign. */
  keyUsage: (bits: number, critical = true): Der => extension('2.5.29.15', bitString(Uint8Array.of(bits), 1), critical),
  purposes: (...ids: readonly string[]): Der => extension('2.5.29.37', sequence(...ids.map(oid)), false),
  authority: (pathLength?: number): Der =>
    extension('2.5.29.19', sequence(boolean(true), ...(pathLength === undefined ? [] : [integer(Uint8Array.of(pathLength))]))),
  noAuthority: (): Der => extension('2.5.29.19', sequence()),
  names: (names: readonly SubjectAltName[], critical = true): Der => extension('2.5.29.17', subjectAltName(names), critical),
  keyId: (key: Key): Der => extension('2.5.29.14', octetString(keyIdentifier(publicKeyInfo(key))), false),
} as const
