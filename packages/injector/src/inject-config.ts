import type { LabelSelector } from '@heddle/config-model'
import { type Diagnostic, fail, ok, problem, type Result } from '@heddle/runtime'
import type { InjectOptions } from './options.js'
import type { InjectionTemplate } from './templates/context.js'
import { BUILT_IN_TEMPLATES } from './templates/index.js'
import { overlayTemplate } from './templates/overlay.js'
import type { ValuesInput } from './values.js'
import { loadYaml } from './yaml.js'

type Tree = Record<string, unknown>
const isTree = (value: unknown): value is Tree => typeof value === 'object' && value !== null && !Array.isArray(value)

/** Templates of another proxy in Istio's ConfigMap: they say nothing to injection. */
const OTHER_PROXY = ['agentgateway', 'agentgateway-waypoint']
const IGNORED = ['revision', 'rawTemplates']

/**
 * Reads what istioctl's --injectConfigFile takes: the configuration itself, or ConfigMap istio-sidecar-injector with its keys `config` and
 * `values`. Istio's own templates are native here, so their Go bodies are left out with a warning; a Go template of the user's is refused.
 * Fails with `inject.invalid_config`, `inject.go_template` or `inject.invalid_template`.
 */
export function readInjectConfig(text: string): Result<Partial<InjectOptions>> {
  const root = parse(text, '')
  if (!root.ok) return root
  const { kind, data } = root.value
  if (kind !== 'ConfigMap') return readConfig(root.value)
  if (!isTree(data) || typeof data['config'] !== 'string')
    return wrong('data.config', 'a ConfigMap of the injector has a key config')
  const config = parse(data['config'], 'data.config')
  if (!config.ok) return config
  const read = readConfig(config.value)
  if (!read.ok || typeof data['values'] !== 'string') return read
  const values = parse(data['values'], 'data.values')
  return values.ok ? ok({ ...read.value, values: values.value as ValuesInput }, read.diagnostics) : values
}

function wrong<T = never>(path: string, why: string): Result<T> {
  return fail(problem('inject.invalid_config', path, `${path === '' ? 'The injection config' : path}: ${why}.`))
}

function parse(text: string, path: string): Result<Tree> {
  const loaded = loadYaml(text)
  if (!loaded.ok) return wrong(path, loaded.diagnostics[0]?.message ?? 'it is no YAML')
  return isTree(loaded.value) ? ok(loaded.value) : wrong(path, 'it must be an object')
}

function readConfig(config: Tree): Result<Partial<InjectOptions>> {
  const found: Diagnostic[] = []
  const options: Partial<InjectOptions> = {}
  const selectors = (value: unknown): readonly LabelSelector[] => (Array.isArray(value) ? (value as LabelSelector[]) : [])
  for (const [field, value] of Object.entries(config)) {
    if (value === null || IGNORED.includes(field)) continue
    if (field === 'policy' && (value === 'enabled' || value === 'disabled')) options.policy = value
    else if (field === 'alwaysInjectSelector' || field === 'neverInjectSelector') options[field] = selectors(value)
    else if (field === 'defaultTemplates' && Array.isArray(value)) options.defaultTemplates = value.map(String)
    else if (field === 'aliases' && isTree(value)) options.aliases = value as Record<string, string[]>
    else if (field === 'templates' && isTree(value)) options.templates = readTemplates(value, found)
    else if (field === 'injectedAnnotations' && isTree(value) && Object.values(value).every((one) => typeof one === 'string'))
      options.injectedAnnotations = value as Record<string, string>
    else
      found.push(
        problem('inject.invalid_config', field, `${field} is not understood here; take it out, or give it as an option.`),
      )
  }
  return found.some(({ severity }) => severity === 'error') ? fail(...found) : ok(options, found)
}

function readTemplates(bodies: Tree, found: Diagnostic[]): Record<string, InjectionTemplate> {
  const templates: Record<string, InjectionTemplate> = {}
  for (const [name, body] of Object.entries(bodies)) {
    const text = typeof body === 'string' ? body : JSON.stringify(body)
    const ours = Object.hasOwn(BUILT_IN_TEMPLATES, name) || OTHER_PROXY.includes(name)
    if (ours && text.includes('{{')) {
      const message = `Template ${name} is Istio's own and native here; its Go body is not read. What differs in yours, say in an overlay of another name.`
      found.push({ code: 'inject.go_template', severity: 'warning', path: `templates.${name}`, message })
      continue
    }
    const template = overlayTemplate(name, text)
    if (template.ok) templates[name] = template.value
    else found.push(...template.diagnostics)
  }
  return templates
}
