import { fail, ok, problem, type Result } from '@heddle/runtime'
import type { PodTemplate } from '../kubernetes.js'
import { loadYaml } from '../yaml.js'
import type { InjectionTemplate } from './context.js'

const INSTEAD = `Write what is to be merged into the pod, strategically, as plain YAML:
  spec:
    containers:
    - name: istio-proxy
      env: [{name: GREETING, value: hello}]
    terminationGracePeriodSeconds: 60
or, where it depends on the pod, give a function (context) => ({ spec: … }) as InjectOptions.templates.`

/** A template of the user's own as YAML: a part of a pod, merged strategically. Go templates are refused with `inject.go_template`. */
export function overlayTemplate(name: string, yaml: string): Result<InjectionTemplate> {
  const path = `templates.${name}`
  if (yaml.includes('{{') || yaml.includes('[['))
    return fail(problem('inject.go_template', path, `${path} is a Go template, which is not run here. ${INSTEAD}`))
  const loaded = loadYaml(yaml)
  if (!loaded.ok) return fail(problem('inject.invalid_template', path, `${path}: ${loaded.diagnostics[0]?.message ?? 'no YAML'}`))
  const overlay = loaded.value ?? {}
  if (typeof overlay !== 'object' || Array.isArray(overlay))
    return fail(problem('inject.invalid_template', path, `${path} must be an object with metadata or spec. ${INSTEAD}`))
  const unknown = Object.keys(overlay).find((field) => field !== 'metadata' && field !== 'spec')
  if (unknown !== undefined)
    return fail(problem('inject.invalid_template', path, `${path}: a pod has no field ${unknown}, only metadata and spec.`))
  return ok(() => overlay as PodTemplate)
}
