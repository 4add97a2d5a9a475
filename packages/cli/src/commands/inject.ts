import { type InjectOptions, injectManifest, readInjectConfig } from '@heddle/injector'
import { formatDiagnostic } from '@heddle/runtime'
import { load } from 'js-yaml'
import { type Arguments, type Command, EXIT, InputError, type Io, required, UsageError } from '../command.js'
import { readText } from '../files.js'

async function readObject(args: Arguments, flag: string, io: Io): Promise<Record<string, unknown> | undefined> {
  const file = args.string(flag)
  if (file === undefined) return undefined
  const value = load(await readText(file, io))
  if (typeof value !== 'object' || value === null) throw new InputError(`${file} is not a YAML object`)
  return value as Record<string, unknown>
}

/** Undefined: it is wrong, and that was said. */
async function readConfigFlag(args: Arguments, io: Io): Promise<Partial<InjectOptions> | undefined> {
  const file = args.string('inject-config')
  if (file === undefined) return {}
  const read = readInjectConfig(await readText(file, io))
  for (const diagnostic of read.diagnostics) io.err(`${formatDiagnostic({ ...diagnostic, subject: file })}\n`)
  return read.ok ? read.value : undefined
}

function optionsOf(args: Arguments): Partial<InjectOptions> {
  const [profile, revision] = [args.string('profile'), args.string('revision')]
  if (profile !== undefined && profile !== '1.0') throw new UsageError(`--profile takes 1.0, not ${profile}`)
  return { ...(profile && { profile }), ...(revision !== undefined && { revision }) }
}

/** `istioctl kube-inject`. */
export const inject: Command = {
  name: 'inject',
  summary: 'add the sidecar to the workloads of a YAML stream; everything else passes untouched',
  flags: {
    filename: { type: 'string', short: 'f', value: 'FILE', help: 'YAML documents; - is standard input' },
    values: { type: 'string', value: 'FILE', help: 'Helm values of the istiod chart' },
    'inject-config': {
      type: 'string',
      value: 'FILE',
      help: 'policy, selectors and templates: ConfigMap istio-sidecar-injector, or its config',
    },
    profile: { type: 'string', value: '1.0', help: 'the pod of Istio 1.0 instead of today’s' },
    revision: { type: 'string', value: 'NAME', help: 'of the control plane (default default)' },
    'mesh-config': { type: 'string', value: 'FILE', help: 'mesh config, for defaultConfig' },
  },
  async run(args, io) {
    const config = await readConfigFlag(args, io)
    if (config === undefined) return EXIT.findings
    const values = await readObject(args, 'values', io)
    const meshConfig = await readObject(args, 'mesh-config', io)
    const file = required(args, 'filename')
    const result = injectManifest(await readText(file, io), {
      file,
      ...config,
      ...optionsOf(args),
      ...(values === undefined ? {} : { values }),
      ...(meshConfig === undefined ? {} : { meshConfig }),
    })
    for (const diagnostic of result.diagnostics) io.err(`${formatDiagnostic(diagnostic)}\n`)
    if (!result.ok) return EXIT.findings
    io.out(result.value.yaml)
    return EXIT.ok
  },
}
