import { createWatch, fail, ok, problem, type Result, type Watch } from '@heddle/runtime'
import type { Secret as SecretMessage } from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { Secret, SecretSource } from './config/compiled.js'
import { type DataSourceReads, readDataSource } from './config/data-source.js'
import { compileMessage } from './config/fields.js'
import { compileValidationContext } from './config/peer-rules.js'
import { compileCertificate } from './config/tls-secrets.js'

/** A fixed set of secrets: those of a static bootstrap. */
export function createStaticSecrets(secrets: readonly Secret[]): SecretSource {
  const watches = new Map(secrets.map((secret) => [secret.name, createWatch<Secret | undefined>(secret)]))
  const none = createWatch<Secret | undefined>(undefined)
  return { watch: (name) => watches.get(name) ?? none, owns: (name) => watches.has(name) }
}

/** Identity of a workload, as PEM: what an agent renews. */
export interface WorkloadIdentity {
  /** Leaf first. */
  readonly certificateChain: string
  readonly privateKey: string
  readonly trustBundle: string
}

/** Istio's two names for a workload's own identity. */
export const WORKLOAD_SECRETS = { certificate: 'default', trust: 'ROOTCA' } as const

/** Serves an identity under Istio's names: `default` (certificate and key) and `ROOTCA` (trust anchors). */
export function createIdentitySecrets(identity: Watch<WorkloadIdentity | undefined>): SecretSource {
  const certificate = createWatch<Secret | undefined>(undefined)
  const trust = createWatch<Secret | undefined>(undefined)
  const none = createWatch<Secret | undefined>(undefined)
  const publish = (current: WorkloadIdentity | undefined): void => {
    if (current === undefined) return
    const { certificateChain, privateKey, trustBundle } = current
    // Trust first: a peer with a certificate of a new root must find it.
    if (trust.current?.trustBundle !== trustBundle) trust.set({ name: WORKLOAD_SECRETS.trust, trustBundle })
    certificate.set({ name: WORKLOAD_SECRETS.certificate, certificateChain, privateKey })
  }
  publish(identity.current)
  identity.subscribe(publish)
  const watches = new Map([
    [WORKLOAD_SECRETS.certificate as string, certificate],
    [WORKLOAD_SECRETS.trust, trust],
  ])
  return { watch: (name) => watches.get(name) ?? none, owns: (name) => watches.has(name) }
}

/** For each name the first source that has a value; the order is the precedence. */
export function chainSecrets(sources: readonly SecretSource[]): SecretSource {
  const watches = new Map<string, Watch<Secret | undefined>>()
  return {
    watch(name) {
      let watch = watches.get(name)
      if (watch === undefined) {
        watch = firstDefined(sources.map((source) => source.watch(name)))
        watches.set(name, watch)
      }
      return watch
    },
    owns: (name) => sources.some((source) => source.owns?.(name) ?? false),
  }
}

function firstDefined(watches: readonly Watch<Secret | undefined>[]): Watch<Secret | undefined> {
  const current = (): Secret | undefined => watches.find((watch) => watch.current !== undefined)?.current
  const merged = createWatch(current())
  for (const watch of watches) watch.subscribe(() => merged.set(current()))
  return merged
}

/**
 * An SDS secret: certificate with key, trust anchors, or both; or a generic one. Session ticket keys are refused, and so is what no
 * handshake could use.
 */
export function decodeSecret(message: SecretMessage, path: string, reads: DataSourceReads): Result<Secret> {
  const { name = '', tls_certificate, validation_context, generic_secret } = message
  const at = (field: string): string => (path === '' ? field : `${path}.${field}`)
  if (generic_secret?.secret !== undefined) {
    const generic = readDataSource(generic_secret.secret, at('generic_secret.secret'), reads)
    return generic.ok ? ok({ name, generic: generic.value.trim() }) : generic
  }
  if (tls_certificate === undefined && validation_context === undefined) {
    const supported = 'Only tls_certificate, validation_context and generic_secret with a secret are supported.'
    return fail(problem('secret.unsupported', path, supported))
  }
  const identity =
    tls_certificate === undefined
      ? ok(undefined)
      : compileMessage(tls_certificate, at('tls_certificate'), (fields) => compileCertificate(fields, reads))
  if (!identity.ok) return identity
  const validation = compileMessage(validation_context ?? {}, at('validation_context'), (fields) =>
    compileValidationContext(fields, reads),
  )
  return validation.ok ? ok({ name, ...identity.value, ...validation.value }) : validation
}
