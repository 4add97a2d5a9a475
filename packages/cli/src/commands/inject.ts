import { type InjectOptions, injectManifest } from '@heddle/injector'
import { formatDiagnostic } from '@heddle/runtime'
import { type Arguments, type Command, EXIT, required, UsageError } from '../command.js'
import { readText } from '../files.js'
import { readInjection } from '../injection.js'

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
    'mesh-config': { type: 'string', value: 'FILE', help: 'mesh config, for defaultConfig' },
    'inject-config': {
      type: 'string',
      value: 'FILE',
      help: 'policy, selectors and templates: ConfigMap istio-sidecar-injector, or its config',
    },
    profile: { type: 'string', value: '1.0', help: 'the pod of Istio 1.0 instead of today’s' },
    revision: { type: 'string', value: 'NAME', help: 'of the control plane (default default)' },
  },
  async run(args, io) {
    const options = await readInjection(args, io)
    if (options === undefined) return EXIT.findings
    const file = required(args, 'filename')
    const result = injectManifest(await readText(file, io), { file, ...options, ...optionsOf(args) })
    for (const diagnostic of result.diagnostics) io.err(`${formatDiagnostic(diagnostic)}\n`)
    if (!result.ok) return EXIT.findings
    io.out(result.value.yaml)
    return EXIT.ok
  },
}
