import type { Command } from '../command.js'

/**
 * By the words that begin them, in the order of `heddle --help`. Each is loaded when it is asked for: a proxy that was killed is back in
 * half the time without the modules of a control plane.
 */
const COMMANDS: Readonly<Record<string, () => Promise<Command>>> = {
  validate: async () => (await import('./validate.js')).validate,
  analyze: async () => (await import('./analyze.js')).analyze,
  explain: async () => (await import('./explain.js')).explain,
  translate: async () => (await import('./translate.js')).translate,
  inject: async () => (await import('./inject.js')).inject,
  init: async () => (await import('./init.js')).init,
  'manifest webhook': async () => (await import('./manifest.js')).manifestWebhook,
  'manifest gateway': async () => (await import('./manifest-gateway.js')).manifestGateway,
  proxy: async () => (await import('./proxy.js')).proxy,
  agent: async () => (await import('./agent.js')).agent,
  'control-plane': async () => (await import('./control-plane.js')).controlPlane,
  'ca init': async () => (await import('./ca/init.js')).caInit,
  'ca issue': async () => (await import('./ca/issue.js')).caIssue,
  'ca revoke': async () => (await import('./ca/revoke.js')).caRevoke,
  'ca rotate': async () => (await import('./ca/rotate.js')).caRotate,
  'ca bundle': async () => (await import('./ca/bundle.js')).caBundle,
  'proxy-status': async () => (await import('./proxy-status.js')).proxyStatus,
  'proxy-config': async () => (await import('./proxy-config.js')).proxyConfig,
  'proxy-config log': async () => (await import('./proxy-config-log.js')).proxyConfigLog,
  'proxy-config rootca-compare': async () => (await import('./proxy-config-rootca-compare.js')).proxyConfigRootcaCompare,
  version: async () => (await import('./version.js')).version,
  completion: async () => (await import('./completion.js')).completion(() => loadCommands(commandNames)),
}

export const commandNames: readonly string[] = Object.keys(COMMANDS)

export function loadCommands(names: readonly string[]): Promise<readonly Command[]> {
  return Promise.all(names.map((name) => COMMANDS[name]!()))
}
