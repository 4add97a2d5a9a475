import type { LabelSelector } from '@heddle/config-model'

export interface WebhookConfigurationOptions {
  /** PEM of the CA that signed the webhook's certificate. */
  readonly caBundle: string
  /** Default `default`: then `istio-injection=enabled` asks for it too. */
  readonly revision?: string
  /** Of the control plane; default istio-system. */
  readonly namespace?: string
  /** Default `istiod`, with a revision `istiod-<revision>`. */
  readonly service?: string
  /** `https://…` instead of a Service. */
  readonly url?: string
  /** What becomes of pods while the webhook is away; default Fail. */
  readonly failurePolicy?: 'Fail' | 'Ignore'
  /** Whether pods that other webhooks have changed since come again; default IfNeeded, since a second injection changes nothing. */
  readonly reinvocationPolicy?: 'Never' | 'IfNeeded'
}

type Requirement = NonNullable<LabelSelector['matchExpressions']>[number]

const is = (key: string, ...values: string[]): Requirement => ({ key, operator: 'In', values })
const isNot = (key: string, ...values: string[]): Requirement => ({ key, operator: 'NotIn', values })
const absent = (key: string): Requirement => ({ key, operator: 'DoesNotExist' })

const REVISION = 'istio.io/rev'
const INJECTION = 'istio-injection'
const INJECT = 'sidecar.istio.io/inject'

/** The MutatingWebhookConfiguration of Istio's chart: who is asked for, by namespace or by pod, by revision or by istio-injection. */
export function webhookConfiguration(options: WebhookConfigurationOptions): object {
  const { revision = 'default', namespace = 'istio-system' } = options
  const suffix = revision === 'default' ? '' : `-${revision}`
  const hooks: [name: string, namespaces: Requirement[], pods: Requirement[]][] = [
    ['rev.namespace', [is(REVISION, revision), absent(INJECTION)], [isNot(INJECT, 'false')]],
    ['rev.object', [absent(REVISION), absent(INJECTION)], [isNot(INJECT, 'false'), is(REVISION, revision)]],
    ...(revision === 'default'
      ? ([
          ['namespace', [is(INJECTION, 'enabled')], [isNot(INJECT, 'false')]],
          ['object', [absent(INJECTION), absent(REVISION)], [is(INJECT, 'true'), absent(REVISION)]],
        ] satisfies [string, Requirement[], Requirement[]][])
      : []),
  ]
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: {
      name: `istio-sidecar-injector${suffix}${namespace === 'istio-system' ? '' : `-${namespace}`}`,
      labels: { app: 'sidecar-injector', 'istio.io/rev': revision },
    },
    webhooks: hooks.map(([name, namespaces, pods]) => ({
      name: `${name}.sidecar-injector.istio.io`,
      clientConfig: clientConfig(options, namespace, `istiod${suffix}`),
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      failurePolicy: options.failurePolicy ?? 'Fail',
      reinvocationPolicy: options.reinvocationPolicy ?? 'IfNeeded',
      sideEffects: 'None',
      timeoutSeconds: 10,
      admissionReviewVersions: ['v1', 'v1beta1'],
      namespaceSelector: { matchExpressions: namespaces },
      objectSelector: { matchExpressions: pods },
    })),
  }
}

function clientConfig({ url, service, caBundle }: WebhookConfigurationOptions, namespace: string, name: string): object {
  const where = url === undefined ? { service: { name: service ?? name, namespace, path: '/inject', port: 443 } } : { url }
  return { ...where, caBundle: btoa(caBundle) }
}
