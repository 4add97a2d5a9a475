import { renderGatewayManifest } from '@heddle/injector'
import { formatDiagnostic } from '@heddle/runtime'
import { type Command, EXIT, required } from '../command.js'
import { readText } from '../files.js'
import { readInjection } from '../injection.js'

/** What Istio's controller deploys for Gateways of the Gateway API. */
export const manifestGateway: Command = {
  name: 'manifest gateway',
  summary: 'print what is deployed for Gateways of the Gateway API: ingress, waypoint, east-west',
  flags: {
    filename: {
      type: 'string',
      short: 'f',
      value: 'FILE',
      help: 'YAML documents: Gateways and what they refer to; - is standard input',
    },
    values: { type: 'string', value: 'FILE', help: 'Helm values of the istiod chart' },
    'mesh-config': { type: 'string', value: 'FILE', help: 'mesh config, for defaultConfig' },
    'inject-config': { type: 'string', value: 'FILE', help: 'ConfigMap istio-sidecar-injector, for its values' },
    revision: { type: 'string', value: 'NAME', help: 'of the control plane (default default)' },
  },
  async run(args, io) {
    const injection = await readInjection(args, io)
    if (injection === undefined) return EXIT.findings
    const { values, meshConfig } = injection
    const file = required(args, 'filename')
    const revision = args.string('revision')
    const result = renderGatewayManifest(await readText(file, io), {
      file,
      ...(values && { values }),
      ...(meshConfig && { meshConfig }),
      ...(revision !== undefined && { revision }),
    })
    for (const diagnostic of result.diagnostics) io.err(`${formatDiagnostic(diagnostic)}\n`)
    if (!result.ok) return EXIT.findings
    for (const { subject, reason } of result.value.gateways)
      if (reason !== undefined) io.err(`${subject}: nothing is deployed for it: ${reason}\n`)
    if (result.value.gateways.length === 0) io.err(`${file} has no Gateway of gateway.networking.k8s.io\n`)
    io.out(result.value.yaml)
    return EXIT.ok
  },
}
