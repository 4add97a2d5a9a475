import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import {
  createCsr,
  createKey,
  exportKey,
  fromPem,
  type Grant,
  readSpiffeUri,
  readX509,
  type SubjectAltName,
  workloadGrant,
} from '@heddle/ca'
import { DEFAULT_TRUST_DOMAIN, formatSpiffeId, parseSpiffeId } from '@heddle/runtime'
import { type Arguments, type Command, EXIT, type Flag, formatOf, InputError, UsageError } from '../../command.js'
import { readText } from '../../files.js'
import { asInput, durationOf, folderOf, keyAlgorithmFlag, keyAlgorithmOf, openFolder, trustDomainFlag } from './flags.js'

interface Issued {
  readonly spiffeId?: string
  readonly serial: string
  readonly notBefore: string
  readonly notAfter: string
  /** PEM, leaf first. */
  readonly certificateChain: string
  /** PKCS #8 PEM; none for a request that somebody else has made. */
  readonly privateKey?: string
  readonly trustBundle: string
}

/** What the certificate is for, by the flags: a workload's SPIFFE ID, names of a server, or both. */
function grantOf(args: Arguments, written: string | undefined): Grant {
  const ttlMs = durationOf(args, 'ttl')
  const [namespace, serviceAccount] = [args.string('namespace'), args.string('service-account')]
  const id = written ?? args.string('spiffe-id')
  if (id !== undefined && serviceAccount !== undefined)
    throw new UsageError('a SPIFFE ID, or --namespace and --service-account, not both')
  if (namespace !== undefined && serviceAccount === undefined) throw new UsageError('--namespace needs --service-account')
  const names: SubjectAltName[] = []
  if (serviceAccount !== undefined) {
    const trustDomain = args.string('trust-domain') ?? DEFAULT_TRUST_DOMAIN
    const who = { trustDomain, namespace: namespace ?? 'default', serviceAccount }
    const checked = parseSpiffeId(formatSpiffeId(who))
    if (!checked.ok) throw new UsageError(checked.diagnostics[0]?.message ?? 'no identity')
    names.push(...workloadGrant(who).names)
  }
  if (id !== undefined) {
    const checked = readSpiffeUri(id)
    if (!checked.ok) throw new UsageError(checked.diagnostics[0]?.message ?? 'no SPIFFE ID')
    if (checked.value.path === '') throw new UsageError(`${id} is a trust domain; a workload's SPIFFE ID has a path`)
    names.push({ uri: id })
  }
  names.push(...args.strings('dns').map((dns) => ({ dns })), ...args.strings('ip').map((ip) => ({ ip })))
  if (names.length === 0) throw new UsageError('for whom? Give a SPIFFE ID, --service-account, --dns or --ip')
  return { names, ...(ttlMs === undefined ? {} : { ttlMs }) }
}

function write(folder: string, { certificateChain, privateKey, trustBundle }: Issued): string[] {
  mkdirSync(folder, { recursive: true })
  const files: readonly (readonly [name: string, text: string | undefined, mode: number])[] = [
    ['key.pem', privateKey, 0o600],
    ['cert-chain.pem', certificateChain, 0o644],
    ['root-cert.pem', trustBundle, 0o644],
  ]
  return files.flatMap(([name, text, mode]) => {
    if (text === undefined) return []
    writeFileSync(join(folder, name), text, { mode })
    return [join(folder, name)]
  })
}

const nameFlag = (help: string): Flag => ({ type: 'string', multiple: true, value: 'NAME', help })

/** `step ca certificate`, `istioctl`'s tools/certs: a certificate straight from the CA's files. */
export const caIssue: Command = {
  name: 'ca issue',
  summary: 'a key and a certificate for a workload or a server, signed by the CA of a folder',
  positionals: 'DIR [SPIFFE_ID]',
  flags: {
    ca: { type: 'string', value: 'DIR', help: 'folder of the CA, instead of the first argument' },
    'spiffe-id': { type: 'string', value: 'URI', help: 'spiffe://cluster.local/ns/NAMESPACE/sa/ACCOUNT' },
    namespace: { type: 'string', short: 'n', value: 'NAME', help: 'of the service account (default: default)' },
    'service-account': { type: 'string', short: 's', value: 'NAME', help: 'of the workload' },
    'trust-domain': trustDomainFlag,
    dns: nameFlag('DNS name, for servers; may be given several times'),
    ip: nameFlag('IP address, for servers; may be given several times'),
    csr: {
      type: 'string',
      value: 'FILE',
      help: 'sign the key of this request (PEM); its names do not count; - is standard input',
    },
    ttl: { type: 'string', value: 'TIME', help: 'lifetime, at most 90d and no longer than the CA (default 24h)' },
    'key-algorithm': keyAlgorithmFlag,
    out: { type: 'string', value: 'DIR', help: 'write key.pem (0600), cert-chain.pem and root-cert.pem there' },
    output: { type: 'string', short: 'o', value: 'pem|json', help: 'how to print (default pem: key, then chain)' },
  },
  async run(args, io) {
    const format = formatOf(args, ['pem', 'json'])
    const { folder, rest } = folderOf(args)
    if (rest.length > 1) throw new UsageError(`unexpected ${rest[1]}`)
    const grant = grantOf(args, rest[0])
    const { authority } = await openFolder(folder)
    const csrFile = args.string('csr')
    const key = csrFile === undefined ? await createKey(keyAlgorithmOf(args)) : undefined
    const [csr] = key === undefined ? fromPem('CERTIFICATE REQUEST', await readText(csrFile ?? '', io)) : [createCsr(key)]
    if (csr === undefined) throw new InputError(`${csrFile} has no certificate request in PEM`)
    const chain = await asInput(() => authority.sign(csr, grant)).catch((error: unknown) => {
      throw error instanceof TypeError ? new UsageError(error.message) : error
    })
    const leaf = readX509(fromPem('CERTIFICATE', chain[0] ?? '')[0] as Uint8Array)
    if (!leaf.ok) throw new Error('what was signed is no certificate')
    const uri = grant.names.find((name) => 'uri' in name)
    const issued: Issued = {
      ...(uri === undefined ? {} : { spiffeId: uri.uri }),
      serial: leaf.value.serial,
      notBefore: new Date(leaf.value.notBefore).toISOString(),
      notAfter: new Date(leaf.value.notAfter).toISOString(),
      certificateChain: chain.join(''),
      ...(key === undefined ? {} : { privateKey: exportKey(key) }),
      trustBundle: authority.trustBundle.current.join(''),
    }
    const out = args.string('out')
    const files = out === undefined ? [] : write(out, issued)
    if (format === 'json') io.out(`${JSON.stringify(files.length > 0 ? { ...issued, files } : issued, undefined, 2)}\n`)
    else if (files.length > 0) io.out(`${files.join('\n')}\nserial ${issued.serial}, valid until ${issued.notAfter}\n`)
    else io.out(`${issued.privateKey ?? ''}${issued.certificateChain}`)
    return EXIT.ok
  },
}
