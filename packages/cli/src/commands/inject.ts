import { injectManifest } from '@heddle/injector'
import { formatDiagnostic } from '@heddle/runtime'
import { load } from 'js-yaml'
import { type Arguments, type Command, EXIT, InputError, type Io, required } from '../command.js'
import { readText } from '../files.js'

async function readObject(args: Arguments, flag: string, io: Io): Promise<Record<string, unknown> | undefined> {
  const file = args.string(flag)
  if (file === undefined) return undefined
  const value = load(await readText(file, io))
  if (typeof value !== 'object' || value === null) throw new InputError(`${file} is not a YAML object`)
  return value as Record<string, unknown>
}

/** `istioctl kube-inject`. */
export const inject: Command = {
  name: 'inject',
  summary: 'add the sidecar to the workloads of a YAML stream; everything else passes untouched',
  flags: {
    filename: { type: 'string', short: 'f', value: 'FILE', help: 'YAML documents; - is standard input' },
    values: { type: 'string', value: 'FILE', help: 'Helm values of the istiod chart' },
    'mesh-config': { type: 'string', value: 'FILE', help: 'mesh config, for defaultConfig' },
  },
  async run(args, io) {
    const values = await readObject(args, 'values', io)
    const meshConfig = await readObject(args, 'mesh-config', io)
    const file = required(args, 'filename')
    const result = injectManifest(await readText(file, io), {
      file,
      ...(values === undefined ? {} : { values }),
      ...(meshConfig === undefined ? {} : { meshConfig }),
    })
    for (const diagnostic of result.diagnostics) io.err(`${formatDiagnostic(diagnostic)}\n`)
    if (!result.ok) return EXIT.findings
    io.out(result.value.yaml)
    return EXIT.ok
  },
}
