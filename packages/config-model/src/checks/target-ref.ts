import { into, refuse, type Site } from '../decode/site.js'
import type { MatchLabelsSelector, PolicyTargetReference } from '../kinds/common.js'
import { CODE } from './code.js'
import { each } from './each.js'
import { checkMatchLabels } from './labels.js'

const ALLOWED: readonly string[] = [
  'core/Service',
  '/Service',
  'networking.istio.io/ServiceEntry',
  'gateway.networking.k8s.io/Gateway',
  'gateway.networking.k8s.io/GatewayClass',
]

interface Targeted {
  selector?: MatchLabelsSelector
  targetRef?: PolicyTargetReference
  targetRefs?: readonly PolicyTargetReference[]
}

/** Whom a policy is for: a selector, or references, not both. */
export function checkTargets({ selector, targetRef, targetRefs }: Targeted, site: Site): void {
  const ways = [selector !== undefined, targetRef !== undefined, (targetRefs ?? []).length > 0].filter(Boolean)
  if (ways.length > 1) refuse(site, CODE.conflict, 'only one of targetRefs or workloadSelector can be set')
  checkMatchLabels(selector, site, 'selector')
  if (targetRef !== undefined) checkTargetRef(targetRef, into(site, 'targetRef'))
  each(targetRefs, site, 'targetRefs', checkTargetRef)
}

function checkTargetRef({ group = '', kind, name, namespace }: PolicyTargetReference, at: Site): void {
  if (name === '') refuse(into(at, 'name'), CODE.required, 'targetRef name must be set')
  if (namespace !== undefined && namespace !== '') {
    refuse(
      into(at, 'namespace'),
      CODE.invalid,
      'targetRef namespace must not be set; cross namespace referencing is not supported',
    )
  }
  if (ALLOWED.includes(`${group}/${kind}`)) return
  refuse(
    at,
    CODE.invalid,
    `targetRef must be to one of [gvk.Service gvk.ServiceEntry gvk.KubernetesGateway gvk.GatewayClass] but was ${group}/${kind}`,
  )
}
