import { type InjectOptions, readInjectConfig } from '@heddle/injector'
import { formatDiagnostic } from '@heddle/runtime'
import { load } from 'js-yaml'
import { type Arguments, InputError, type Io } from './command.js'
import { readDocument, readText } from './files.js'

async function readObject(args: Arguments, flag: string, io: Io): Promise<Record<string, unknown> | undefined> {
  const file = args.string(flag)
  if (file === undefined) return undefined
  const value = await readDocument(file, io)
  if (typeof value !== 'object' || value === null) throw new InputError(`${file} is not a YAML object`)
  const { kind, data } = value as { kind?: unknown; data?: { mesh?: unknown } }
  // ConfigMap istio carries the mesh config as text.
  const inner = kind === 'ConfigMap' && typeof data?.mesh === 'string' ? load(data.mesh) : value
  return inner as Record<string, unknown>
}

/** What --inject-config, --values and --mesh-config say, the latter over the first; undefined: it is wrong, and that was said. */
export async function readInjection(args: Arguments, io: Io): Promise<Partial<InjectOptions> | undefined> {
  const file = args.string('inject-config')
  const config = file === undefined ? undefined : readInjectConfig(await readText(file, io))
  for (const diagnostic of config?.diagnostics ?? []) io.err(`${formatDiagnostic({ ...diagnostic, subject: file ?? '' })}\n`)
  if (config?.ok === false) return undefined
  const values = await readObject(args, 'values', io)
  const meshConfig = await readObject(args, 'mesh-config', io)
  return { ...config?.value, ...(values && { values }), ...(meshConfig && { meshConfig }) }
}
