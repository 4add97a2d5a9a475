import { join } from 'node:path'
import { type WebhookConfigurationOptions, webhookConfiguration } from '@heddle/injector'
import { dump } from 'js-yaml'
import { type Arguments, type Command, EXIT, InputError, UsageError } from '../command.js'
import { readText } from '../files.js'

function oneOf<V extends string>(args: Arguments, flag: string, values: readonly V[]): V | undefined {
  const written = args.string(flag)
  if (written === undefined) return undefined
  const value = values.find((one) => one === written)
  if (value === undefined) throw new UsageError(`--${flag} takes ${values.join(' or ')}, not ${written}`)
  return value
}

/** What Istio's chart installs for injection, for a control plane of ours. */
export const manifestWebhook: Command = {
  name: 'manifest webhook',
  summary: 'print the MutatingWebhookConfiguration of the injector',
  flags: {
    'ca-dir': { type: 'string', value: 'DIR', help: 'the control plane’s --ca-dir, for the caBundle' },
    'ca-bundle': { type: 'string', value: 'FILE', help: 'or the CA’s certificates as PEM' },
    revision: { type: 'string', value: 'NAME', help: 'default: default, which istio-injection=enabled asks for too' },
    namespace: { type: 'string', short: 'n', value: 'NAME', help: 'of the control plane (default istio-system)' },
    service: { type: 'string', value: 'NAME', help: 'in front of it (default istiod)' },
    url: { type: 'string', value: 'URL', help: 'instead of a Service: https://…/inject' },
    'failure-policy': { type: 'string', value: 'Fail|Ignore', help: 'while the webhook is away (default Fail)' },
    'reinvocation-policy': { type: 'string', value: 'Never|IfNeeded', help: 'after other webhooks (default IfNeeded)' },
  },
  async run(args, io) {
    const folder = args.string('ca-dir')
    const file = args.string('ca-bundle') ?? (folder === undefined ? undefined : join(folder, 'root-cert.pem'))
    if (file === undefined) throw new UsageError('--ca-dir or --ca-bundle is missing')
    const caBundle = await readText(file, io)
    if (!caBundle.includes('-----BEGIN CERTIFICATE-----')) throw new InputError(`${file} holds no PEM certificate`)
    const [failurePolicy, reinvocationPolicy] = [
      oneOf(args, 'failure-policy', ['Fail', 'Ignore']),
      oneOf(args, 'reinvocation-policy', ['Never', 'IfNeeded']),
    ]
    const texts = (['revision', 'namespace', 'service', 'url'] as const).flatMap((name) => {
      const value = args.string(name)
      return value === undefined ? [] : [[name, value]]
    })
    const options: WebhookConfigurationOptions = {
      caBundle,
      ...Object.fromEntries(texts),
      ...(failurePolicy && { failurePolicy }),
      ...(reinvocationPolicy && { reinvocationPolicy }),
    }
    io.out(dump(webhookConfiguration(options), { noRefs: true, lineWidth: -1 }))
    return EXIT.ok
  },
}
