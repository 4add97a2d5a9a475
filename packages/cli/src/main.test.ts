import { describe, expect, test } from 'vitest'
import { commandNames, loadCommands } from './commands/index.js'
import { main } from './main.js'
import { createTestIo } from './testing.js'

const run = async (...argv: string[]): Promise<{ code: number; stdout: string; stderr: string }> => {
  const io = createTestIo()
  const code = await main(argv, io)
  return { code, stdout: io.stdout, stderr: io.stderr }
}

describe('wrong use', () => {
  test.each([
    [[], 64],
    [['nonsense'], 64],
    [['ca'], 64],
    [['ca', 'nonsense'], 64],
    [['version', '--nonsense'], 64],
    [['version', '-o', 'xml'], 64],
    [['version', 'more'], 64],
    [['help', 'nonsense'], 64],
    [['inject', '-f', '-', 'more'], 64],
    [['completion'], 64],
    [['completion', 'tcsh'], 64],
    [['validate'], 64],
    [['validate', '-f', '.', '-o', 'xml'], 64],
    [['analyze'], 64],
    [['analyze', '.', '-o', 'yaml'], 64],
    [['analyze', '.', '--suppress', 'IST0103'], 64],
    [['analyze', '.', '--failure-threshold', 'Fatal'], 64],
    [['analyze', '/nowhere/at/all'], 66],
    [['explain', 'GET', 'http://a/'], 64],
    [['proxy'], 64],
    [['agent'], 64],
    [['agent', 'sidecar', '--nonsense'], 64],
    [['agent', 'sidecar', '--drainDuration', '5 parrots'], 64],
    [['agent', 'sidecar', '--stsPort', '15463'], 64],
    [['agent', 'sidecar', '--outlierLogPath', '/dev/stdout'], 64],
    [['init', '--nonsense'], 64],
    [['init', '--run-validation', '--skip-rule-apply', '--probe-timeout', 'soon'], 64],
    [['manifest', 'gateway'], 64],
    [['manifest', 'gateway', '-f', '/nowhere/at/all.yaml'], 66],
    [['translate', '--config', '/nowhere/at/all', '--proxy', '/nowhere/proxy.json'], 66],
    [['validate', '-f', '/nowhere/at/all.yaml'], 66],
  ])('%j exits %i and says why', async (argv, code) => {
    const result = await run(...argv)
    expect(result.code).toBe(code)
    expect(result.stderr + (argv.length === 0 ? result.stdout : '')).not.toBe('')
  })
})

test('every command has help that names its flags', async () => {
  for (const [i, command] of (await loadCommands(commandNames)).entries()) {
    expect(command.name).toBe(commandNames[i])
    const { code, stdout } = await run(...command.name.split(' '), '--help')
    expect(code).toBe(0)
    for (const flag of Object.keys(command.flags)) expect(stdout).toContain(`--${flag}`)
  }
})

test('a word with several commands behind it tells them', async () => {
  const { code, stdout } = await run('ca', '--help')
  expect(code).toBe(0)
  for (const name of ['ca init', 'ca issue', 'ca rotate']) expect(stdout).toContain(`heddle ${name}`)
  expect((await run('ca')).stderr).toContain('heddle ca init')
})

test('help COMMAND, --version and a word misspelt are understood', async () => {
  expect((await run('help', 'ca', 'init')).stdout).toBe((await run('ca', 'init', '--help')).stdout)
  expect((await run('--version')).stdout).toBe((await run('version')).stdout)
  expect((await run('kube-inject', '--help')).stdout).toBe((await run('inject', '--help')).stdout)
  expect((await run('pc', 'log', '--help')).stdout).toBe((await run('proxy-config', 'log', '--help')).stdout)
  expect((await run('validat')).stderr).toContain('Did you mean validate?')
  expect((await run('proxy-stat')).stderr).toContain('Did you mean proxy-status?')
  expect((await run('tea')).stderr).not.toContain('Did you mean')
})

test('the overview lists every command', async () => {
  const { code, stdout } = await run('--help')
  expect(code).toBe(0)
  for (const name of commandNames) expect(stdout).toContain(`  ${name} `)
})

test.each(['bash', 'zsh', 'fish', 'powershell'])('completion %s knows every command', async (shell) => {
  const { code, stdout } = await run('completion', shell)
  expect(code).toBe(0)
  for (const name of commandNames) expect(stdout).toContain(name.split(' ')[0])
})

test('completion knows flags, words to choose from and help', async () => {
  const { stdout } = await run('completion', 'bash')
  for (const words of [
    / completion\) words="bash zsh fish powershell --help"/,
    / agent\) words=".* sidecar router waypoint wait --help"/,
  ])
    expect(stdout).toMatch(words)
})

test('version -o json is one object', async () => {
  const { stdout } = await run('version', '-o', 'json')
  expect(JSON.parse(stdout)).toMatchObject({ heddle: expect.any(String), node: process.version })
})

test('init -n prints the rules of istio-init’s flags and applies nothing', async () => {
  const { code, stdout } = await run('init', '-n', '-p', '15001', '-u', '1337', '-m', 'REDIRECT', '-i', '*', '-b', '*', '-d', '')
  expect(code).toBe(0)
  expect(stdout.split('\n').filter((line) => / -j (ISTIO_IN_REDIRECT|ISTIO_REDIRECT)$/.test(line))).toHaveLength(
    stdout.split('COMMIT').length === 2 ? 4 : 8,
  )
  expect((await run('init', '-n', '-b', 'http')).stderr).toContain('"http" is no port')
  expect((await run('init', '--nonsense')).code).toBe(64)
})

test('inject takes the profile and refuses others; agent says which it wants', async () => {
  expect((await run('inject', '--profile', '0.8', '-f', '-')).stderr).toContain('--profile takes 1.0')
  expect((await run('agent')).stderr).toContain('heddle agent sidecar')
  expect((await run('manifest', 'webhook')).stderr).toContain('--ca-dir')
})
