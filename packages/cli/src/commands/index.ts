import type { Command } from '../command.js'
import { agent } from './agent.js'
import { analyze } from './analyze.js'
import { caCommands } from './ca/index.js'
import { completion } from './completion.js'
import { controlPlane } from './control-plane.js'
import { explain } from './explain.js'
import { init } from './init.js'
import { inject } from './inject.js'
import { manifestWebhook } from './manifest.js'
import { manifestGateway } from './manifest-gateway.js'
import { proxy } from './proxy.js'
import { proxyConfig } from './proxy-config.js'
import { proxyStatus } from './proxy-status.js'
import { translate } from './translate.js'
import { validate } from './validate.js'
import { version } from './version.js'

/** In the order of `heddle --help`. */
export const commands: readonly Command[] = [
  validate,
  analyze,
  explain,
  translate,
  inject,
  init,
  manifestWebhook,
  manifestGateway,
  proxy,
  agent,
  controlPlane,
  ...caCommands,
  proxyStatus,
  proxyConfig,
  version,
  completion(() => commands),
]
