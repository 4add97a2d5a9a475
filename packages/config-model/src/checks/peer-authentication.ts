import { into, refuse, type Site } from '../decode/site.js'
import type { PeerAuthentication } from '../kinds/peer-authentication.js'
import { CODE } from './code.js'
import { checkMatchLabels } from './labels.js'
import { isPort } from './port.js'

export function validatePeerAuthentication({ spec }: PeerAuthentication, site: Site): void {
  const { selector, portLevelMtls } = spec
  checkMatchLabels(selector, site, 'selector')
  if (portLevelMtls === undefined) return
  const at = into(site, 'portLevelMtls')
  const ports = Object.keys(portLevelMtls)
  if (ports.length === 0) refuse(at, CODE.required, 'port level mTLS, if defined, must have at least one element')
  else if (Object.keys(selector?.matchLabels ?? {}).length === 0) {
    refuse(
      at,
      CODE.conflict,
      'mesh/namespace peer authentication cannot have port level mTLS: ports belong to workloads, add a selector',
    )
  }
  for (const port of ports) {
    if (!/^\d+$/.test(port) || !isPort(Number(port)))
      refuse(into(at, port), CODE.port, `port must be in range 1..65535, but is ${port}`)
  }
}
