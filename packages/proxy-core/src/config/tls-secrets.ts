import { createWatch, type Watch } from '@heddle/runtime'
import type {
  CommonTlsContext,
  SdsSecretConfig,
  TlsCertificate,
} from '@heddle/xds-types/envoy/extensions/transport_sockets/tls/v3'
import { chainProblem, decryptedKey, keyProblem } from '../net/pem-problems.js'
import type { CertificateIdentity, TlsMaterial } from '../net/tls.js'
import type { CompileDeps, Secret } from './compiled.js'
import { compileDataSource, type DataSourceReads } from './data-source.js'
import type { Fields } from './fields.js'

type Source = Watch<Secret | undefined>
type Material = Watch<TlsMaterial | undefined>

/** Key material from SDS names, or from what stands in the config. Nothing is there until all named secrets are. */
export function compileMaterial(
  fields: Fields<CommonTlsContext> | undefined,
  validation: ValidationSource,
  deps: CompileDeps,
): Material {
  const names = fields?.messages('tls_certificate_sds_secret_configs') ?? []
  const named = names.map((each) => deps.secrets.watch(secretName(each)))
  const inline = (fields?.messages('tls_certificates') ?? []).map((each) =>
    createWatch<Secret | undefined>({ name: 'inline', ...compileCertificate(each, deps) }),
  )
  const trust = validation.secret === undefined ? [] : [deps.secrets.watch(validation.secret)]
  return joinSecrets([...named, ...inline], trust, validation.inline)
}

/** Where trust anchors come from. */
export interface ValidationSource {
  readonly secret?: string
  readonly inline?: Omit<Secret, 'name'>
}

export function secretName(fields: Fields<SdsSecretConfig>): string {
  const name = fields.string('name')
  fields.done({ sds_config: 'the secret source decides where a name is asked for' })
  if (name === '') fields.problem('is required.', 'name')
  return name
}

/** A certificate with its key, from a TLS context or from SDS. What cannot be presented is refused, lest it takes the place of what can. */
export function compileCertificate(fields: Fields<TlsCertificate>, reads: DataSourceReads): CertificateIdentity | undefined {
  const certificateChain = compileRequired(fields, 'certificate_chain', reads)
  const key = compileRequired(fields, 'private_key', reads)
  const password = compileDataSource(fields.message('password'), reads)
  fields.done({
    watched_directory: 'files are read once, when the resource is compiled',
    ocsp_staple: 'LENIENT_STAPLING lets clients go without, and they ask elsewhere',
  })
  if (certificateChain === undefined || key === undefined) return undefined
  const privateKey = password === undefined ? key : decryptedKey(key, password)
  const unread = chainProblem(certificateChain)
  const unfit = privateKey === undefined ? 'cannot be read with this password.' : keyProblem(privateKey, certificateChain)
  if (unread !== undefined) fields.problem(unread, 'certificate_chain')
  else if (unfit !== undefined) fields.problem(unfit, 'private_key')
  else if (privateKey !== undefined) return { certificateChain, privateKey }
  return undefined
}

function compileRequired(fields: Fields<TlsCertificate>, name: 'certificate_chain' | 'private_key', reads: DataSourceReads) {
  const text = compileDataSource(fields.message(name), reads)
  if (text === '' || !fields.has(name)) fields.problem('is required.', name)
  return text === '' ? undefined : text
}

/** Secrets of certificates and trust, with what stands in the config itself. Undefined as long as one is missing. */
function joinSecrets(
  identities: readonly Source[],
  trust: readonly Source[],
  inline: Omit<Secret, 'name'> | undefined,
): Material {
  const sources = [...identities, ...trust]
  let from: readonly (Secret | undefined)[] | undefined
  let made: TlsMaterial | undefined
  const current = (): TlsMaterial | undefined => {
    const now = sources.map((source) => source.current)
    if (from?.every((secret, index) => secret === now[index])) return made
    from = now
    const present = now.filter((secret) => secret !== undefined)
    made =
      present.length < now.length
        ? undefined
        : joined(present.slice(0, identities.length), { ...inline, ...present[identities.length] })
    return made
  }
  return {
    get current() {
      return current()
    },
    subscribe(changed) {
      const stops = sources.map((source) => source.subscribe(() => changed(current())))
      return () => {
        for (const stop of stops) stop()
      }
    },
  }
}

function joined(identities: readonly Secret[], { trustBundle, crl, rules }: Omit<Secret, 'name'>): TlsMaterial {
  const [first, ...others] = identities.flatMap(({ certificateChain, privateKey }) =>
    certificateChain === undefined || privateKey === undefined ? [] : [{ certificateChain, privateKey }],
  )
  return {
    ...first,
    ...(others.length > 0 && { others }),
    ...(trustBundle !== undefined && { trustBundle }),
    ...(crl !== undefined && { crl }),
    ...(rules !== undefined && { rules }),
  }
}
