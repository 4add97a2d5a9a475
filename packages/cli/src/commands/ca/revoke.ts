import {
  createFolderRevocationStore,
  createRevocations,
  fromPem,
  normalSerial,
  REVOCATION_REASONS,
  type RevocationReason,
  readX509,
  replaceCaFile,
} from '@heddle/ca'
import { systemClock as clock } from '@heddle/runtime'
import { type Arguments, type Command, EXIT, InputError, type Io, outputFlag, UsageError, wantsJson } from '../../command.js'
import { readText } from '../../files.js'
import { asInput, durationOf, folderOf, openFolder } from './flags.js'

const CRL = 'crl.pem'

function reasonOf(args: Arguments): RevocationReason {
  const written = args.string('reason') ?? 'unspecified'
  const reason = Object.keys(REVOCATION_REASONS).find((one) => one === written)
  if (reason === undefined) throw new UsageError(`--reason takes ${Object.keys(REVOCATION_REASONS).join(', ')}, not ${written}`)
  return reason as RevocationReason
}

/** A serial number in hexadecimal, or a file with the certificate. */
async function serialOf(written: string, io: Io): Promise<string> {
  if (/^[0-9a-fA-F:]+$/.test(written)) return normalSerial(written)
  const [leaf] = fromPem('CERTIFICATE', await readText(written, io))
  const read = leaf === undefined ? undefined : readX509(leaf)
  if (read?.ok !== true) throw new InputError(`${written} has no certificate in PEM`)
  return read.value.serial
}

export const caRevoke: Command = {
  name: 'ca revoke',
  summary: `take certificates back, and sign the list that says so (${CRL}); without any, sign it anew`,
  positionals: 'DIR [SERIAL|CERT_FILE]…',
  flags: {
    ca: { type: 'string', value: 'DIR', help: 'folder of the CA, instead of the first argument' },
    reason: { type: 'string', value: 'REASON', help: 'keyCompromise, superseded, … (RFC 5280; default unspecified)' },
    ttl: { type: 'string', value: 'TIME', help: 'how long the list is good for (default 24h)' },
    output: outputFlag,
  },
  async run(args, io) {
    const json = wantsJson(args)
    const { folder, rest } = folderOf(args)
    const reason = reasonOf(args)
    // One after another: of several that cannot be read the first is told.
    const serials: Awaited<ReturnType<typeof serialOf>>[] = []
    for (const one of rest) serials.push(await serialOf(one, io))
    const lifetimeMs = durationOf(args, 'ttl')
    const { authority } = await openFolder(folder)
    const store = createFolderRevocationStore(folder)
    const revocations = await asInput(() =>
      createRevocations({ authority, clock, store, ...(lifetimeMs === undefined ? {} : { lifetimeMs }) }),
    )
    try {
      for (const serial of serials) await revocations.revoke(serial, reason)
      await asInput(() => replaceCaFile(folder, CRL, revocations.crl.current))
    } finally {
      revocations.close()
    }
    const revoked = revocations.revoked.map(({ serial, at, reason: why = 'unspecified' }) => ({
      serial,
      at: new Date(at).toISOString(),
      reason: why,
    }))
    if (json) io.out(`${JSON.stringify({ file: `${folder}/${CRL}`, revoked }, undefined, 2)}\n`)
    else
      io.out(
        `${folder}/${CRL}: ${revoked.length} revoked\n${revoked.map((one) => `  ${one.serial} ${one.at} ${one.reason}\n`).join('')}`,
      )
    return EXIT.ok
  },
}
