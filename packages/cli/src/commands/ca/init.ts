import {
  createCaFolder,
  createIntermediateCertificate,
  createKey,
  createRootCertificate,
  exportKey,
  fromPem,
  openFolderAuthority,
  type PluggedInFiles,
  readSpiffeUri,
  readX509,
  toPem,
} from '@heddle/ca'
import { systemClock as clock, DEFAULT_TRUST_DOMAIN } from '@heddle/runtime'
import { type Arguments, type Command, EXIT, InputError, outputFlag, UsageError, wantsJson } from '../../command.js'
import { asInput, durationOf, folderOf, keyAlgorithmFlag, keyAlgorithmOf, trustDomainFlag } from './flags.js'

const DAY = 86_400_000
/** Ten years, as Istio's own roots have; two for what is signed by one. */
const ROOT_TTL = 3650 * DAY
const INTERMEDIATE_TTL = 730 * DAY
/** Against clocks that differ. */
const BACKDATE = 120_000

/** The files of a new root, or of an intermediate under the CA of another folder. */
async function createFiles(args: Arguments): Promise<PluggedInFiles> {
  const trustDomain = args.string('trust-domain') ?? DEFAULT_TRUST_DOMAIN
  if (!readSpiffeUri(`spiffe://${trustDomain}`).ok)
    throw new UsageError(`${JSON.stringify(trustDomain)} is no trust domain: a-z, 0-9, ".", "-" and "_" only`)
  const name = { organization: args.string('organization') ?? trustDomain, trustDomain }
  const parent = args.string('root')
  const key = await createKey(keyAlgorithmOf(args))
  const caKey = exportKey(key)
  const now = clock.now()
  const validity = (ttl: number): { notBefore: number; notAfter: number } => ({
    notBefore: now - BACKDATE,
    notAfter: now + (durationOf(args, 'ttl') ?? ttl),
  })
  if (parent === undefined) {
    const caCert = toPem('CERTIFICATE', createRootCertificate(key, name, validity(ROOT_TTL)))
    return { caCert, caKey, rootCert: caCert, certChain: caCert }
  }
  const { authority } = await asInput(() => openFolderAuthority(parent, { clock }))
  const signer = authority.signer.current
  const caCert = toPem('CERTIFICATE', createIntermediateCertificate(key, name, validity(INTERMEDIATE_TTL), signer))
  const rootCert = authority.trustBundle.current.join('')
  // Up to the root, as Istio's Makefile writes it.
  return { caCert, caKey, rootCert, certChain: [caCert, ...signer.chain, rootCert].join('') }
}

/** `make root-ca`, and `make CLUSTER-cacerts` with `--root`, of Istio's tools/certs. */
export const caInit: Command = {
  name: 'ca init',
  summary: 'make a CA: a root, or an intermediate under one, in files that istiod takes as cacerts',
  positionals: 'DIR',
  flags: {
    root: { type: 'string', value: 'DIR', help: 'folder of the CA that signs this one (default: it signs itself)' },
    'trust-domain': trustDomainFlag,
    organization: { type: 'string', value: 'NAME', help: 'in its name (default: the trust domain)' },
    'key-algorithm': keyAlgorithmFlag,
    ttl: { type: 'string', value: 'TIME', help: '24h, 90d, … (default ten years, two under another CA)' },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    const { folder, rest } = folderOf(args)
    if (rest.length > 0) throw new UsageError(`unexpected ${rest[0]}`)
    const files = await createFiles(args)
    if (!(await asInput(() => createCaFolder(folder, files))))
      throw new InputError(`${folder} is there and not empty: nothing in it was touched`)
    const certificate = readX509(fromPem('CERTIFICATE', files.caCert)[0] as Uint8Array)
    if (!certificate.ok) throw new Error('what was written is no certificate')
    const { serial, notBefore, notAfter } = certificate.value
    const facts = {
      folder,
      files: ['ca-cert.pem', 'ca-key.pem', 'root-cert.pem', 'cert-chain.pem'],
      selfSigned: args.string('root') === undefined,
      serial,
      notBefore: new Date(notBefore).toISOString(),
      notAfter: new Date(notAfter).toISOString(),
    }
    io.out(
      json
        ? `${JSON.stringify(facts, undefined, 2)}\n`
        : `${folder}: ${facts.selfSigned ? 'a root' : `a CA under ${args.string('root')}`}, valid until ${facts.notAfter}\n${facts.files.map((name) => `  ${name}\n`).join('')}`,
    )
    return EXIT.ok
  },
}
