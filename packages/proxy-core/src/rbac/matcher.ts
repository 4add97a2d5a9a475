import type { Action } from '@heddle/xds-types/envoy/config/rbac/v3'
import type { HttpRequestHeaderMatchInput } from '@heddle/xds-types/envoy/type/matcher/v3'
import type { Matcher } from '@heddle/xds-types/xds/type/matcher/v3'
import { type Fields, fieldsOf, type TypedConfig } from '../config/fields.js'
import { asciiLower } from '../matcher/ascii.js'
import { headerValues } from '../matcher/header.js'
import { compileMatchTree } from '../matcher/match-tree.js'
import type { RbacEngine, RbacVerdict } from './engine.js'
import type { RbacQuestion } from './question.js'

interface NamedAction {
  readonly name: string
  readonly action: 'ALLOW' | 'DENY' | 'LOG'
}

type Input = (question: RbacQuestion) => string | undefined

const ACTION = 'envoy.config.rbac.v3.Action'
const HEADER = 'envoy.type.matcher.v3.HttpRequestHeaderMatchInput'
const NETWORK = 'envoy.extensions.matching.common_inputs.network.v3'
const TLS = 'envoy.extensions.matching.common_inputs.ssl.v3'

const FACTS: Readonly<Record<string, Input>> = {
  [`${NETWORK}.DestinationIPInput`]: ({ destination }) => destination.address,
  [`${NETWORK}.DestinationPortInput`]: ({ destination }) => String(destination.port),
  [`${NETWORK}.SourceIPInput`]: ({ source }) => source,
  [`${NETWORK}.DirectSourceIPInput`]: ({ directSource }) => directSource,
  [`${NETWORK}.ServerNameInput`]: ({ serverName }) => (serverName === '' ? undefined : serverName),
  [`${TLS}.UriSanInput`]: ({ authenticated, principals }) =>
    authenticated ? principals.filter((name) => name.includes('://')).join(',') || undefined : undefined,
}

/** RBAC by a tree of matchers: the action that it comes to decides; where it comes to none, nobody is let in. */
export function compileRbacMatcher(fields: Fields<Matcher>): RbacEngine {
  const tree = compileMatchTree<RbacQuestion, NamedAction>(fields, { input: compileInput, action: compileAction })
  const evaluate = (question: RbacQuestion): RbacVerdict => {
    const found = tree(question)
    if (found === undefined) return { allowed: false }
    const { name: policy, action } = found
    return { allowed: action !== 'DENY', policy, ...(action === 'LOG' && { logged: true }) }
  }
  return {
    evaluate,
    explain(question) {
      const verdict = evaluate(question)
      const { policy, allowed } = verdict
      const reason = policy === undefined ? 'no action of the matcher is reached' : `the matcher's action ${policy}`
      return { ...verdict, reason: policy === undefined ? reason : `${reason} ${allowed ? 'allows' : 'denies'}` }
    },
  }
}

function compileInput(config: TypedConfig, at: Fields<never>): Input | undefined {
  const fact = FACTS[config.typeName]
  if (fact !== undefined || config.typeName !== HEADER) return fact
  const input = fieldsOf<HttpRequestHeaderMatchInput>(config, at)
  const name = asciiLower(input.string('header_name'))
  input.done()
  return ({ head }) => {
    const values = head === undefined ? [] : headerValues(head, name)
    return values.length === 0 ? undefined : values.join(',')
  }
}

function compileAction(config: TypedConfig, at: Fields<never>): NamedAction | undefined {
  if (config.typeName !== ACTION) {
    ;(at as Fields).problem(`${config.typeName} is not an action of RBAC.`, 'action')
    return undefined
  }
  const fields = fieldsOf<Action>(config, at)
  const action = {
    name: fields.string('name'),
    action: fields.choice('action', ['ALLOW', 'DENY', 'LOG'], 'ALLOW'),
  }
  fields.done()
  return action
}
