import { constants } from 'node:crypto'
import { createSecureContext, type SecureContext } from 'node:tls'
import type { TlsMaterial } from './tls.js'
import { urisOfPem } from './x509.js'

interface Parameters {
  readonly minVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly maxVersion: 'TLSv1.2' | 'TLSv1.3'
  readonly ciphers?: string
}

// One context for each material and parameters: reading keys and certificates costs more than a handshake.
const contexts = new WeakMap<TlsMaterial, Map<string, SecureContext>>()
const uris = new WeakMap<TlsMaterial, readonly string[]>()

/** Throws what node:tls throws: key and certificate do not fit, PEM that is none. */
export function secureContextOf(material: TlsMaterial, parameters: Parameters): SecureContext {
  const { minVersion, maxVersion, ciphers } = parameters
  const key = `${minVersion} ${maxVersion} ${ciphers ?? ''}`
  let known = contexts.get(material)
  if (known === undefined) {
    known = new Map()
    contexts.set(material, known)
  }
  let context = known.get(key)
  if (context === undefined) {
    context = createSecureContext({
      ...(material.certificateChain === undefined ? {} : { cert: material.certificateChain }),
      ...(material.privateKey === undefined ? {} : { key: material.privateKey }),
      ...(material.trustBundle === undefined ? {} : { ca: material.trustBundle }),
      ...(ciphers === undefined ? {} : { ciphers }),
      minVersion,
      maxVersion,
      // A ticket would let a peer in again by an old verdict, whatever has become of trust and policy since.
      secureOptions: constants.SSL_OP_NO_TICKET,
    })
    known.set(key, context)
  }
  return context
}

/** URI SANs of our own certificate. */
export function localUrisOf(material: TlsMaterial): readonly string[] {
  let known = uris.get(material)
  if (known === undefined) {
    known = material.certificateChain === undefined ? [] : urisOfPem(material.certificateChain)
    uris.set(material, known)
  }
  return known
}
