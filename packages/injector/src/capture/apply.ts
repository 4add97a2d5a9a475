import { fail, ok, problem, type Result } from '@heddle/runtime'
import { type CaptureConfig, PASSTHROUGH_V6 } from './config.js'
import { iptablesRuleList } from './iptables.js'
import { checkArguments, readState, replaceScript, sameCount } from './iptables-state.js'
import { nftablesRules } from './nftables.js'
import { TABLES } from './nftables-tables.js'

/** Runs a program with `input` on its standard input. */
export type RunCommand = (command: string, args: readonly string[], input?: string) => Promise<CommandResult>

export interface CommandResult {
  /** Its exit code; 127 where there is no such program. */
  code: number
  stdout: string
  stderr: string
}

export interface ApplyOptions {
  run: RunCommand
  /** Default iptables. */
  backend?: 'iptables' | 'nftables'
  /** Applies even what is there already. */
  force?: boolean
}

/** What applying did. */
export type Applied = 'applied' | 'unchanged' | 'cleaned'

class Failed extends Error {}

/**
 * Makes this network namespace capture as `config` says, or, with `cleanCapture`, no more: rules of one family and table change in one
 * step, older rules of ours go, others' stay. Needs NET_ADMIN. Fails with `capture.failed` and what the tool said.
 */
export function applyCapture(config: CaptureConfig, options: ApplyOptions): Promise<Result<Applied>> {
  return attempt(async () => {
    const changed = await (options.backend === 'nftables' ? applyNftables(config, options) : applyIptables(config, options))
    for (const { missing, args } of routes(config)) {
      const { stdout } = await options.run('ip', missing)
      if (stdout.trim() === '') await must(options.run, 'ip', args)
    }
    return changed ? 'applied' : 'unchanged'
  })
}

/** Removes all rules, routes and addresses of ours, of either backend. Where there are none it does nothing. */
export function cleanCapture(config: CaptureConfig, options: ApplyOptions): Promise<Result<Applied>> {
  return attempt(async () => {
    if (options.backend === 'nftables') await must(options.run, 'nft', ['-f', '-'], withoutTables())
    else
      for (const prefix of ['iptables', 'ip6tables']) {
        const state = readState((await must(options.run, `${prefix}-save`, [])).stdout)
        const script = replaceScript(state, [], config)
        if (script !== '') await must(options.run, `${prefix}-restore`, ['--noflush', '-w'], script)
      }
    for (const { missing, remove } of routes({
      ...config,
      inboundInterceptionMode: 'TPROXY',
      inboundPortsInclude: '*',
      enableIpv6: true,
    })) {
      const { stdout } = await options.run('ip', missing)
      if (stdout.trim() !== '') await must(options.run, 'ip', remove)
    }
    return 'cleaned'
  })
}

async function attempt(work: () => Promise<Applied>): Promise<Result<Applied>> {
  try {
    return ok(await work())
  } catch (error) {
    if (!(error instanceof Failed)) throw error
    return fail(problem('capture.failed', '', error.message))
  }
}

async function must(run: RunCommand, command: string, args: readonly string[], input?: string): Promise<CommandResult> {
  const result = await run(command, args, input)
  if (result.code === 127)
    throw new Failed(`There is no ${command} here; install it, or take the other of iptables and nftables.`)
  if (result.code !== 0) throw new Failed(`${command} ${args.join(' ')} failed (${result.code}): ${result.stderr.trim()}`)
  return result
}

async function applyIptables(config: CaptureConfig, { run, force = false }: ApplyOptions): Promise<boolean> {
  const rules = iptablesRuleList(config)
  let changed = false
  for (const v6 of config.enableIpv6 ? [false, true] : [false]) {
    const prefix = v6 ? 'ip6tables' : 'iptables'
    const list = rules.list(v6)
    const state = readState((await must(run, `${prefix}-save`, [])).stdout)
    if (!force && sameCount(state, list, config)) {
      const checks = await Promise.all(list.map((rule) => run(prefix, checkArguments(rule))))
      if (checks.every(({ code }) => code === 0)) continue
    }
    await must(run, `${prefix}-restore`, ['--noflush', '-w'], replaceScript(state, list, config))
    changed = true
  }
  return changed
}

async function applyNftables(config: CaptureConfig, { run }: ApplyOptions): Promise<boolean> {
  await must(run, 'nft', ['-f', '-'], withoutTables() + nftablesRules(config))
  return true
}

/** nft deletes no table that is not there; making it first is no error. */
function withoutTables(): string {
  return TABLES.map((table) => `add table inet ${table}\ndelete table inet ${table}\n`).join('')
}

interface Route {
  /** Prints nothing where it is missing. */
  missing: readonly string[]
  args: readonly string[]
  remove: readonly string[]
}

/** What capture needs beside rules: marked packets stay on this machine (TPROXY), and the source of IPv6 passthrough is an address of ours. */
function routes(config: CaptureConfig): Route[] {
  const table = String(config.inboundTproxyRouteTable)
  const mark = String(config.inboundTproxyMark)
  const found: Route[] = []
  if (config.enableIpv6) {
    const address = [PASSTHROUGH_V6, 'dev', 'lo']
    found.push({
      missing: ['-6', 'addr', 'show', 'dev', 'lo', 'to', PASSTHROUGH_V6],
      args: ['-6', 'addr', 'add', ...address],
      remove: ['-6', 'addr', 'del', ...address],
    })
  }
  if (config.inboundInterceptionMode !== 'TPROXY' || config.inboundPortsInclude.length === 0) return found
  for (const family of config.enableIpv6 ? (['-4', '-6'] as const) : (['-4'] as const)) {
    const rule = ['fwmark', mark, 'lookup', table]
    const route = ['local', 'default', 'dev', 'lo', 'table', table]
    found.push(
      {
        missing: [family, 'rule', 'show', ...rule],
        args: [family, 'rule', 'add', ...rule],
        remove: [family, 'rule', 'del', ...rule],
      },
      {
        missing: [family, 'route', 'show', 'table', table],
        args: [family, 'route', 'add', ...route],
        remove: [family, 'route', 'del', ...route],
      },
    )
  }
  return found
}
