import { CaError, type FolderAuthority, type KeyAlgorithm, openFolderAuthority } from '@heddle/ca'
import { parseDuration } from '@heddle/config-model'
import { systemClock } from '@heddle/runtime'
import { type Arguments, type Flag, InputError, UsageError } from '../../command.js'

export const keyAlgorithmFlag: Flag = {
  type: 'string',
  value: 'ALG',
  help: 'P-256, P-384, RSA-2048, RSA-3072, RSA-4096 or Ed25519 (default P-256)',
}

export const trustDomainFlag: Flag = { type: 'string', value: 'NAME', help: 'trust domain (default cluster.local)' }

const ALGORITHMS: readonly KeyAlgorithm[] = ['P-256', 'P-384', 'RSA-2048', 'RSA-3072', 'RSA-4096', 'Ed25519']

export function keyAlgorithmOf(args: Arguments): KeyAlgorithm {
  const written = args.string('key-algorithm') ?? 'P-256'
  const known = ALGORITHMS.find((one) => one.toLowerCase() === written.toLowerCase())
  if (known === undefined) throw new UsageError(`--key-algorithm takes ${ALGORITHMS.join(', ')}, not ${written}`)
  return known
}

/** `24h`, `90d`, `1h30m` in milliseconds; undefined without the flag. */
export function durationOf(args: Arguments, name: string): number | undefined {
  const written = args.string(name)
  if (written === undefined) return undefined
  const days = /^(\d+)d$/.exec(written)?.[1]
  const ms = days === undefined ? parseDuration(written) : Number(days) * 86_400_000
  if (ms === undefined || ms <= 0) throw new UsageError(`--${name} takes a time like 24h or 90d, not ${written}`)
  return ms
}

/** The CA's folder: the first positional, or `--ca`. */
export function folderOf(args: Arguments): { folder: string; rest: readonly string[] } {
  const given = args.string('ca')
  const [first, ...others] = args.positionals
  if (given !== undefined) return { folder: given, rest: args.positionals }
  if (first === undefined) throw new UsageError('the folder of the CA is missing')
  return { folder: first, rest: others }
}

export async function openFolder(folder: string): Promise<FolderAuthority> {
  return asInput(() => openFolderAuthority(folder, { clock: systemClock }))
}

/** What is wrong with the files of a CA, or with what is asked of it, is the user's to mend: exit 66. */
export async function asInput<T>(run: () => Promise<T>): Promise<T> {
  try {
    return await run()
  } catch (error) {
    const { code, path, message } = error as NodeJS.ErrnoException
    if (error instanceof CaError) throw new InputError(message)
    if (code !== undefined && path !== undefined) throw new InputError(`cannot read ${path}: ${code}`)
    throw error
  }
}
