import { statSync } from 'node:fs'
import { join } from 'node:path'
import { readPemBundle, readSpiffeBundle, type TrustBundle, trustBundles, writeSpiffeBundle } from '@heddle/ca'
import { DEFAULT_TRUST_DOMAIN, formatDiagnostic } from '@heddle/runtime'
import { type Arguments, type Command, EXIT, formatOf, InputError, UsageError } from '../../command.js'
import { readText } from '../../files.js'
import { durationOf, trustDomainFlag } from './flags.js'

function isFolder(path: string): boolean {
  try {
    return statSync(path).isDirectory()
  } catch {
    return false
  }
}

function sequenceOf(args: Arguments): number | undefined {
  const written = args.string('sequence')
  if (written === undefined) return undefined
  if (!/^\d{1,15}$/.test(written)) throw new UsageError(`--sequence takes a number, not ${written}`)
  return Number(written)
}

export const caBundle: Command = {
  name: 'ca bundle',
  summary: "the roots of a CA's folder, of PEM files and of SPIFFE bundles, as one bundle",
  positionals: 'DIR|FILE…',
  flags: {
    'trust-domain': trustDomainFlag,
    sequence: { type: 'string', value: 'N', help: 'spiffe_sequence, which grows with each change' },
    'refresh-hint': { type: 'string', value: 'TIME', help: 'spiffe_refresh_hint: how often others look for a change' },
    output: { type: 'string', short: 'o', value: 'pem|spiffe', help: 'PEM, or a JWK Set for federation (default pem)' },
  },
  async run(args, io) {
    const format = formatOf(args, ['pem', 'spiffe'])
    const sequence = sequenceOf(args)
    const hint = durationOf(args, 'refresh-hint')
    const trustDomain = args.string('trust-domain') ?? DEFAULT_TRUST_DOMAIN
    if (args.positionals.length === 0) throw new UsageError('give the folder of a CA, or files')
    const bundles: TrustBundle[] = []
    for (const path of args.positionals) {
      const file = isFolder(path) ? join(path, 'root-cert.pem') : path
      const text = await readText(file, io)
      const read = text.trimStart().startsWith('{') ? readSpiffeBundle(trustDomain, text) : readPemBundle(trustDomain, text)
      if (!read.ok) throw new InputError(`${file}: ${read.diagnostics.map(formatDiagnostic).join('; ')}`)
      bundles.push(read.value)
    }
    const all = trustBundles(...bundles).get(trustDomain) as TrustBundle
    io.out(
      format === 'pem'
        ? all.x509Authorities.join('')
        : writeSpiffeBundle({
            ...all,
            ...(sequence === undefined ? {} : { sequence }),
            ...(hint === undefined ? {} : { refreshHintSeconds: Math.round(hint / 1000) }),
          }),
    )
    return EXIT.ok
  },
}
