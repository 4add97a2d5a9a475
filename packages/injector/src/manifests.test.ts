import { load } from 'js-yaml'
import { expect, test } from 'vitest'
import { injectManifest } from './manifests.js'

const SERVICE = `# the shop
apiVersion: v1
kind:   Service   # odd spacing stays
metadata: { name: cart }
`
const POD = `apiVersion: v1
kind: Pod
metadata:
  name: cart
  annotations:
    note: "yes"
    script: |
      a
       ---
      b
spec:
  containers:
  - name: app
    image: app
    stdin: yes
`

test('documents that are not injected keep every byte', () => {
  for (const text of [
    '',
    '\n',
    '# nothing\n',
    SERVICE,
    `---\n${SERVICE}---\n# only a comment\n---\n`,
    `%YAML 1.1\n---\n${SERVICE}`,
    '- a\n- b\n',
  ]) {
    expect(injectManifest(text)).toMatchObject({ ok: true, value: { yaml: text } })
  }
})

test('only the pod of a stream is written anew', () => {
  const result = injectManifest(`${SERVICE}--- # next\n${POD}---\n${SERVICE}`)
  if (!result.ok) throw new Error('refused')
  const { yaml, decisions } = result.value
  expect(yaml.startsWith(`${SERVICE}---\n`)).toBe(true)
  expect(yaml.endsWith(`\n---\n${SERVICE}`)).toBe(true)
  expect(decisions.map(({ subject, inject }) => `${subject} ${inject}`)).toEqual([
    'Service cart false',
    'Pod cart true',
    'Service cart false',
  ])
})

test('strings stay strings and YAML 1.1 booleans booleans', () => {
  const result = injectManifest(POD)
  if (!result.ok) throw new Error('refused')
  expect(result.value.yaml).toContain("note: 'yes'")
  const pod = load(result.value.yaml) as {
    metadata: { annotations: { script: string } }
    spec: { containers: { stdin: unknown }[] }
  }
  expect(pod.metadata.annotations.script).toBe('a\n ---\nb\n')
  expect(pod.spec.containers[0]!.stdin).toBe(true)
})

test('wrong documents are all named, with file and line, and nothing comes out', () => {
  const wrong = POD.replace('note: "yes"', 'status.sidecar.istio.io/port: "x"')
  const result = injectManifest(`${SERVICE}---\n${wrong}---\na: b: c\n`, { file: 'shop.yaml' })
  expect(result.ok).toBe(false)
  expect(result.diagnostics.map(({ code, origin, subject }) => [code, origin?.file, origin?.line, subject])).toEqual([
    ['inject.invalid_annotation', 'shop.yaml', 5, 'Pod cart'],
    ['inject.invalid_yaml', 'shop.yaml', 22, undefined],
  ])
})

test('aliases that unfold to a giant are refused', () => {
  const levels = Array.from({ length: 9 }, (_, i) => `l${i + 1}: &l${i + 1} [${Array(10).fill(`*l${i}`).join()}]`)
  const result = injectManifest(['l0: &l0 [x]', ...levels, ''].join('\n'))
  expect(result.diagnostics[0]?.message).toContain('aliases unfold')
})
