import { Secret as SecretMessage } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { Secret } from '../config/compiled.js'
import type { AdminViews } from './page.js'

type Json = Record<string, unknown>

/**
 * Secrets that no management server has given: `fixed` are the bootstrap's, `active` those in use that an agent brings, without their private keys.
 * `discovered`: names of those that are shown as resources.
 */
export function secretsBeside(views: AdminViews, discovered: ReadonlySet<string>): { fixed: Json[]; active: Json[] } {
  const fixed = views.bootstrap.static_resources?.secrets ?? []
  const known = new Set([...discovered, ...fixed.map(({ name }) => name)])
  const others = new Map(views.secrets.filter(({ name }) => !known.has(name)).map((one) => [one.name, one]))
  return { fixed: fixed.map(entryOf), active: [...others.values()].map((one) => entryOf(messageOf(one))) }
}

const entryOf = (message: SecretMessage): Json => ({
  name: message.name,
  secret: { '@type': SecretMessage.typeUrl, ...message },
})

const bytes = (text: string): { inline_bytes: string } => ({ inline_bytes: Buffer.from(text).toString('base64') })

function messageOf({ name, certificateChain, trustBundle }: Secret): SecretMessage {
  if (certificateChain !== undefined)
    return { name, tls_certificate: { certificate_chain: bytes(certificateChain), private_key: bytes('[redacted]') } }
  return trustBundle === undefined ? { name } : { name, validation_context: { trusted_ca: bytes(trustBundle) } }
}
