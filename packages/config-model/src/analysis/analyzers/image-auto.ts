import type { PodSpec } from '../../kinds/kubernetes/pod.js'
import { matchesSelector } from '../../names/labels.js'
import type { Analyzer } from '../analyzer.js'
import { PROXY_CONTAINER } from '../workloads.js'
import { ADMISSION, webhooksOf } from './webhook-configuration.js'

/** `image: auto` stands for an image that only the injector can fill in. */
export const imageAuto: Analyzer = {
  name: 'injection.ImageAutoAnalyzer',
  summary: '`image: auto` where nothing injects',
  messages: ['ImageAutoWithoutInjectionError', 'ImageAutoWithoutInjectionWarning'],
  analyze(context, report) {
    const hooks = context
      .ofGroup(ADMISSION, 'MutatingWebhookConfiguration')
      .flatMap(webhooksOf)
      .filter(({ name }) => name.endsWith('istio.io'))
    for (const pod of context.of('Pod')) {
      const path = autoPath(pod.spec)
      // It has passed the injector by already.
      if (path !== undefined) report('ImageAutoWithoutInjectionError', pod, `spec.${path}`, 'Pod', pod.metadata.name)
    }
    for (const deployment of context.of('Deployment')) {
      const { template } = deployment.spec
      const path = autoPath(template?.spec ?? {})
      if (path === undefined) continue
      const { namespace, name } = deployment.metadata
      const around = context.namespace(namespace === '' ? 'default' : namespace)?.metadata.labels ?? {}
      const own = template?.metadata?.labels ?? {}
      if (
        hooks.some(
          (hook) => matchesSelector(hook.namespaceSelector ?? {}, around) && matchesSelector(hook.objectSelector ?? {}, own),
        )
      )
        continue
      report('ImageAutoWithoutInjectionWarning', deployment, `spec.template.spec.${path}`, 'Deployment', name)
    }
  },
}

function autoPath({ containers = [] }: PodSpec): string | undefined {
  const at = containers.findIndex(({ name, image }) => name === PROXY_CONTAINER && image === 'auto')
  return at < 0 ? undefined : `containers[${at}].image`
}
