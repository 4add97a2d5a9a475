import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import { main } from '../src/main.js'
import { createTestIo } from '../src/testing.js'

const APPS = ['v1', 'v2', 'client']
  .map(
    (name) =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: ${name}, namespace: shop}\nspec: {template: {metadata: {labels: {version: ${name}}}}}\n`,
  )
  .concat(
    ['v1', 'v2'].map(
      (name) =>
        `apiVersion: v1\nkind: Service\nmetadata: {name: cart-${name}, namespace: shop}\nspec: {selector: {version: ${name}}, ports: [{name: http, port: 80}]}\n`,
    ),
  )
  .join('---\n')
const ROUTES = `apiVersion: networking.istio.io/v1
kind: VirtualService
metadata:
  name: cart
  namespace: shop
spec:
  hosts: [cart-v1]
  http:
  - match:
    - headers:
        beta: {exact: 'yes'}
    route:
    - destination: {host: cart-v2}
  - route:
    - destination: {host: cart-v1}
`

const NAMESPACE = 'apiVersion: v1\nkind: Namespace\nmetadata: {name: shop, labels: {istio-injection: enabled}}\n'

const WITH_CONTAINER = 'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {containers: [{name: app, image: app}]}\n'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'heddle-cli-'))
  writeFileSync(join(folder, 'apps.yaml'), APPS)
  writeFileSync(join(folder, 'routes.yaml'), ROUTES)
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const run = async (argv: readonly string[], input = ''): Promise<{ code: number; stdout: string; stderr: string }> => {
  const io = createTestIo(input)
  const code = await main(argv, io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

describe('validate', () => {
  test('a valid folder', async () => {
    expect(await run(['validate', '-f', folder])).toEqual({ code: 0, stdout: '6 objects are valid.\n', stderr: '' })
  })

  test('each mistake with file, line and path, from a file or standard input', async () => {
    const bad = ROUTES.replace('route:\n    - destination: {host: cart-v2}', 'rout:\n    - destination: {host: cart-v2}')
    writeFileSync(join(folder, 'routes.yaml'), bad)
    const { code, stdout } = await run(['validate', '-f', folder])
    expect(code).toBe(1)
    expect(stdout).toMatch(
      /routes\.yaml:12: error config\.unknown_field VirtualService shop\/cart spec\.http\[0\]\.rout: .*did you mean route/,
    )
    const json = await run(['validate', '-f', '-', '-o', 'json'], bad)
    expect(json.code).toBe(1)
    expect((JSON.parse(json.stdout) as { path: string; origin: object }[])[0]).toMatchObject({
      path: 'spec.http[0].rout',
      origin: { file: '-', line: 12 },
    })
  })
})

test('validate -o log is what editors read', async () => {
  const { code, stdout } = await run(
    ['validate', '-f', '-', '-o', 'log'],
    ROUTES.replace('  - route:\n    - destination: {host: cart-v1}', '  - rout: []'),
  )
  expect(code).toBe(1)
  expect(stdout).toMatch(/^-:14:5: error: unknown field "rout": did you mean route\? \[config\.unknown_field\]$/m)
})

describe('analyze', () => {
  const nowhere = (): void => writeFileSync(join(folder, 'routes.yaml'), ROUTES.replace('host: cart-v2', 'host: nowhere'))

  test('a folder in which all is well', async () => {
    writeFileSync(join(folder, 'namespace.yaml'), NAMESPACE)
    expect(await run(['analyze', folder])).toEqual({ code: 0, stdout: `No issues found in ${folder}.\n`, stderr: '' })
  })

  test('a host that is not there: a line for people, for editors and for programs', async () => {
    nowhere()
    const text = await run(['analyze', folder])
    expect(text.code).toBe(1)
    expect(text.stdout).toMatch(
      /^Error \[IST0101\] \(VirtualService shop\/cart .*routes\.yaml:13\) Referenced host not found: "nowhere"$/m,
    )
    const log = await run(['analyze', folder, '-o', 'log'])
    expect(log.stdout).toMatch(/routes\.yaml:13:21: error: Referenced host not found: "nowhere" \[IST0101\]$/m)
    const json = await run(['analyze', folder, '-o', 'json'])
    expect(json.code).toBe(1)
    expect((JSON.parse(json.stdout) as { code: string }[]).find(({ code }) => code === 'IST0101')).toMatchObject({
      name: 'ReferencedResourceNotFound',
      level: 'Error',
      origin: 'VirtualService shop/cart',
      line: 13,
      column: 21,
    })
  })

  test('standard input', async () => {
    const { code, stdout } = await run(['analyze', '-', '-n', 'shop'], ROUTES.replace('namespace: shop', ''))
    expect(code).toBe(1)
    expect(stdout).toContain('(VirtualService shop/cart -:')
  })

  test('thresholds and suppressions decide what is shown and what fails', async () => {
    nowhere()
    writeFileSync(join(folder, 'namespace.yaml'), NAMESPACE.replace(/, labels.*\}\}/, '}'))
    const quiet = ['analyze', folder, '-S', 'IST0101=VirtualService shop/*']
    expect((await run(quiet)).code).toBe(0)
    expect((await run([...quiet, '--failure-threshold', 'Info'])).code).toBe(1)
    expect((await run(['analyze', folder])).stdout).toContain('IST0102')
    expect((await run(['analyze', folder, '--output-threshold', 'error'])).stdout).not.toContain('IST0102')
    expect((await run(['analyze', folder, '-S', 'IST9999=Pod *'])).stderr).toContain('there is no message IST9999')
  })

  test('-L says which analyzers there are', async () => {
    const { code, stdout } = await run(['analyze', '-L'])
    expect(code).toBe(0)
    expect(stdout).toMatch(/^virtualservice\.DestinationHostAnalyzer +\S/m)
  })
})

test('explain tells the winner, the loser and the lines of both', async () => {
  const { code, stdout } = await run([
    'explain',
    '--config',
    folder,
    '--from',
    'client',
    'GET',
    'http://cart-v1/',
    '-H',
    'beta: no',
  ])
  expect(code).toBe(0)
  expect(stdout).toMatch(/route .*routes\.yaml:14 VirtualService shop\/cart spec\.http\[1\]/)
  expect(stdout).toMatch(/not .*header beta is "no", wanted exact "yes".*routes\.yaml:10/)
  expect(stdout).toMatch(/reaches v1\.shop\n$/)
  const json = await run([
    'explain',
    '--config',
    folder,
    '--from',
    'client',
    'GET',
    'http://cart-v1/',
    '-H',
    'beta: yes',
    '-o',
    'json',
  ])
  expect(JSON.parse(json.stdout)).toMatchObject({ reached: 'v2.shop' })
  expect(await run(['explain', '--config', folder, '--from', 'nobody', 'GET', 'http://cart-v1/'])).toMatchObject({ code: 1 })
})

test('translate prints what a proxy gets, with provenance when asked', async () => {
  const proxies = join(folder, 'proxies.json')
  writeFileSync(
    proxies,
    JSON.stringify([
      { id: 'a', type: 'sidecar', namespace: 'shop', ip: '10.0.0.1' },
      { id: 'b', type: 'router', namespace: 'edge', ip: '10.0.0.2' },
    ]),
  )
  const { code, stdout } = await run(['translate', '--config', folder, '--proxy', proxies, '-o', 'json', '--provenance'])
  expect(code).toBe(0)
  const output = JSON.parse(stdout) as Record<
    string,
    { clusters: { name: string }[]; provenance: { name: string; from: { kind: string }[] }[] }
  >
  expect(Object.keys(output)).toEqual(['a', 'b'])
  expect(output['a']?.clusters.map(({ name }) => name)).toContain('outbound|80||cart-v1.shop.svc.cluster.local')
  expect(output['a']?.provenance.find(({ name }) => name === 'outbound|80||cart-v1.shop.svc.cluster.local')?.from[0]?.kind).toBe(
    'Service',
  )
  expect((await run(['translate', '--config', folder, '--proxy', proxies])).stdout).toContain(
    '    outbound|80||cart-v2.shop.svc.cluster.local\n',
  )
})

test('translate: pods with an address are endpoints of their services; of those without it tells which and where', async () => {
  const proxies = join(folder, 'proxies.txt')
  writeFileSync(proxies, JSON.stringify({ id: 'a', type: 'sidecar', namespace: 'shop', ip: '10.0.0.1' }))
  const pod = (name: string): string =>
    `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}-0, namespace: shop, labels: {version: ${name}}}\nspec: {containers: [{name: c}]}\nstatus: {podIP: 10.0.0.9}\n`
  writeFileSync(join(folder, 'pods.yaml'), pod('v1'))
  const { stdout, stderr } = await run(['translate', '--config', folder, '--proxy', proxies, '-o', 'json'])
  const { endpoints } = (JSON.parse(stdout) as { a: { endpoints: { cluster_name: string }[] } }).a
  const of = (name: string): string =>
    JSON.stringify(endpoints.find(({ cluster_name }) => cluster_name === `outbound|80||cart-${name}.shop.svc.cluster.local`))
  expect(of('v1')).toContain('10.0.0.9')
  expect(of('v2')).not.toContain('address')
  expect(stderr).toMatch(
    /^\S*apps\.yaml:21: warning config\.no_endpoints Service shop\/cart-v2: .*Deployment shop\/v2 has no address/,
  )
  expect(stderr.trim().split('\n')).toHaveLength(1)
})

test('proxy-config rootca-compare tells whether two proxies trust a root in common', async () => {
  const dumps: Record<string, string> = {}
  const rootOf = async (name: string): Promise<string> => {
    expect(await run(['ca', 'init', join(folder, name)])).toMatchObject({ code: 0 })
    return readFileSync(join(folder, name, 'root-cert.pem'), 'utf8')
  }
  const dump = (name: string, roots: string): void => {
    const trusted_ca = { inline_bytes: Buffer.from(roots).toString('base64') }
    const secrets = [{ name: 'ROOTCA', secret: { validation_context: { trusted_ca } } }]
    const section = { '@type': 'type.googleapis.com/envoy.admin.v3.SecretsConfigDump', dynamic_active_secrets: secrets }
    dumps[name] = join(folder, `${name}.txt`)
    writeFileSync(dumps[name], JSON.stringify({ configs: roots === '' ? [] : [section] }))
  }
  const [one, two] = [await rootOf('one'), await rootOf('two')]
  dump('one', one)
  dump('two', two)
  dump('both', `${one}${two}`)
  dump('none', '')
  const compare = (a: string, b: string, ...more: string[]) =>
    run(['proxy-config', 'rootca-compare', dumps[a] ?? a, dumps[b] ?? b, ...more])
  expect(await compare('one', 'both')).toMatchObject({ code: 0, stdout: expect.stringContaining('They trust a root in common') })
  expect(await compare('one', 'two')).toMatchObject({ code: 1, stdout: expect.stringContaining('They trust no root in common') })
  const json = await compare('one', 'both', '-o', 'json')
  expect(JSON.parse(json.stdout)).toMatchObject({
    match: true,
    proxies: [{ roots: [{ notAfter: expect.stringMatching(/Z$/) }] }, { roots: [{}, {}] }],
  })
  expect(await compare('one', 'none')).toMatchObject({ code: 66, stderr: expect.stringContaining('no secret ROOTCA') })
  expect(await run(['proxy-config', 'rootca-compare', 'one'])).toMatchObject({ code: 64 })
})

test('inject adds the sidecar and keeps other documents to the byte', async () => {
  const other = '# kept\napiVersion: v1\nkind: Service\nmetadata: {name: x}   # as it is\n'
  const { code, stdout } = await run(['inject', '-f', '-'], `${other}---\n${WITH_CONTAINER}`)
  expect(code).toBe(0)
  expect(stdout.startsWith(other)).toBe(true)
  expect(stdout).toContain('name: istio-proxy')
})

describe('proxy', () => {
  const bootstrap = (port: number): string => `static_resources:
  listeners:
  - name: l
    address: {socket_address: {address: 127.0.0.1, port_value: ${port}}}
    filter_chains: [{filters: [{name: tcp, typed_config: {'@type': type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy, stat_prefix: t, cluster: c}}]}]
`
  test('--mode validate checks without binding', async () => {
    const file = join(folder, 'envoy.yaml')
    writeFileSync(file, bootstrap(1))
    expect(await run(['proxy', '-c', file, '--mode', 'validate'])).toMatchObject({
      code: 0,
      stdout: `configuration '${file}' OK\n`,
    })
    writeFileSync(file, bootstrap(1).replace('stat_prefix: t', 'stat_prefix: t, nonsense: 1'))
    const wrong = await run(['proxy', '-c', file, '--mode', 'validate'])
    expect(wrong.code).toBe(1)
    expect(wrong.stderr).toContain('nonsense')
  })

  test('what is not supported is named, with its path', async () => {
    const file = join(folder, 'envoy.yaml')
    writeFileSync(file, bootstrap(0).replace('cluster: c', 'cluster: c, on_demand: {}'))
    const { code, stderr } = await run(['proxy', '-c', file])
    expect(code).toBe(1)
    expect(stderr).toContain('on_demand')
  })
})
