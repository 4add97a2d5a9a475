import { createWatch, type Watch } from '@heddle/runtime'
import type {
  CertificateValidationContext,
  CommonTlsContext,
  SdsSecretConfig,
  TlsCertificate,
} from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import type { TlsMaterial } from '../net/tls.js'
import type { CompileDeps, Secret } from './compiled.js'
import { compileDataSource } from './data-source.js'
import type { Fields } from './fields.js'

type Source = Watch<Secret | undefined>
type Material = Watch<TlsMaterial | undefined>

/** Key material from SDS names, or from what stands in the config. Nothing is there until all named secrets are. */
export function compileMaterial(fields: Fields<CommonTlsContext>, validation: ValidationSource, deps: CompileDeps): Material {
  const sds = fields.messages('tls_certificate_sds_secret_configs').map((each) => secretName(each))
  const inline = fields.messages('tls_certificates').map((each) => compileCertificate(each, deps))
  if (sds.length + inline.length > 1)
    fields.problem(
      'only one certificate is supported.',
      sds.length > 1 ? 'tls_certificate_sds_secret_configs' : 'tls_certificates',
    )
  const identity = sds[0] !== undefined ? deps.secrets.watch(sds[0]) : fixed(inline[0])
  const trust = validation.secret !== undefined ? deps.secrets.watch(validation.secret) : fixed(validation.inline)
  return joinSecrets(identity, sds[0] !== undefined, trust, validation.secret !== undefined)
}

/** Where trust anchors come from. */
export interface ValidationSource {
  readonly secret?: string
  readonly inline?: Secret
}

export function secretName(fields: Fields<SdsSecretConfig>): string {
  const name = fields.string('name')
  fields.done({ sds_config: 'the secret source decides where a name is asked for' })
  if (name === '') fields.problem('is required.', 'name')
  return name
}

function compileCertificate(fields: Fields<TlsCertificate>, deps: CompileDeps): Secret {
  const certificateChain = compileDataSource(fields.message('certificate_chain'), deps)
  const privateKey = compileDataSource(fields.message('private_key'), deps)
  fields.done({ watched_directory: 'files are read once, when the resource is compiled' })
  return {
    name: 'inline',
    ...(certificateChain !== undefined && { certificateChain }),
    ...(privateKey !== undefined && { privateKey }),
  }
}

export function compileTrustAnchors(fields: Fields<CertificateValidationContext>, deps: CompileDeps): Secret | undefined {
  const trustBundle = compileDataSource(fields.message('trusted_ca'), deps)
  return trustBundle === undefined ? undefined : { name: 'inline', trustBundle }
}

function fixed(secret: Secret | undefined): Source {
  return createWatch(secret)
}

function joinSecrets(identity: Source, needsIdentity: boolean, trust: Source, needsTrust: boolean): Material {
  let from: readonly [Secret | undefined, Secret | undefined] | undefined
  let made: TlsMaterial | undefined
  const current = (): TlsMaterial | undefined => {
    if (from === undefined || from[0] !== identity.current || from[1] !== trust.current) {
      from = [identity.current, trust.current]
      made =
        (needsIdentity && from[0] === undefined) || (needsTrust && from[1] === undefined) ? undefined : joined(from[0], from[1])
    }
    return made
  }
  return {
    get current() {
      return current()
    },
    subscribe(changed) {
      const stops = [identity.subscribe(() => changed(current())), trust.subscribe(() => changed(current()))]
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}

function joined(identity: Secret | undefined, trust: Secret | undefined): TlsMaterial {
  return {
    ...(identity?.certificateChain !== undefined && { certificateChain: identity.certificateChain }),
    ...(identity?.privateKey !== undefined && { privateKey: identity.privateKey }),
    ...(trust?.trustBundle !== undefined && { trustBundle: trust.trustBundle }),
  }
}
