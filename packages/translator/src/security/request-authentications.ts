import type { JWTRule, MeshService } from '@heddle/config-model'
import type { Build } from '../build.js'
import { isAttached } from '../policy-targets.js'
import { isRehearsed } from './dry-run.js'

/** The JWT rules of a workload by issuer: those of the root namespace and of its own that select it, all of them together. */
export function jwtRulesFor(build: Build, service?: MeshService): readonly JWTRule[] {
  return build.memo.of('JWT rules', [service], () =>
    attached(build, service)
      .filter(({ rehearsed }) => !rehearsed)
      .map(({ rule }) => rule),
  )
}

/** All JWT rules, those that are only rehearsed among them, each by a name that tells where it stands; none when nothing is rehearsed. */
export function rehearsedJwtRules(build: Build, service?: MeshService): readonly (readonly [name: string, rule: JWTRule])[] {
  return build.memo.of('rehearsed JWT rules', [service], () => {
    const all = attached(build, service)
    return all.some(({ rehearsed }) => rehearsed) ? all.map(({ name, rule }) => [name, rule] as const) : []
  })
}

interface AttachedRule {
  readonly name: string
  readonly rule: JWTRule
  readonly rehearsed: boolean
}

function attached({ snapshot, proxy }: Build, service: MeshService | undefined): readonly AttachedRule[] {
  const root = snapshot.meshConfig.rootNamespace
  const all = snapshot.list('RequestAuthentication').filter((policy) => isAttached(policy, proxy, root, service))
  const rules = [
    ...all.filter(({ metadata }) => metadata.namespace === root),
    ...all.filter(({ metadata }) => metadata.namespace !== root),
  ].flatMap((policy) => {
    const rehearsed = isRehearsed(policy)
    const { namespace, name } = policy.metadata
    return (policy.spec.jwtRules ?? []).map((rule, i) => ({
      name: `ns[${namespace}]-policy[${name}]-rule[${i}]`,
      rule,
      rehearsed,
    }))
  })
  return rules.sort(({ rule: a }, { rule: b }) => (a.issuer < b.issuer ? -1 : a.issuer > b.issuer ? 1 : 0))
}
