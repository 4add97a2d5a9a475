import { into, refuse, type Site } from '../../decode/site.js'
import type { KubernetesGateway } from '../../kinds/gateway-api/gateway.js'
import type { Listener } from '../../kinds/gateway-api/listener.js'
import type { ListenerSet } from '../../kinds/gateway-api/listener-set.js'
import { CODE } from '../code.js'
import { each } from '../each.js'

// What the API server judges by the rules in the CRDs of gateway-api v1.5: in a folder nobody else does.

export function validateKubernetesGateway({ spec }: KubernetesGateway, at: Site): void {
  checkListeners(spec.listeners, at, true)
}

export function validateListenerSet({ spec }: ListenerSet, at: Site): void {
  if (spec.listeners.length === 0) refuse(into(at, 'listeners'), CODE.required, 'at least one listener is required')
  checkListeners(spec.listeners, at, false)
}

function checkListeners(listeners: readonly Listener[], at: Site, portRequired: boolean): void {
  const names = new Set<string>()
  const places = new Set<string>()
  each(listeners, at, 'listeners', (listener, place) => {
    checkListener(listener, place, portRequired)
    if (names.has(listener.name))
      refuse(into(place, 'name'), CODE.duplicate, `listener names must be unique: there are two called ${listener.name}`)
    names.add(listener.name)
    const { port = 0, protocol, hostname = '' } = listener
    const key = `${port}/${protocol}/${hostname}`
    if (port !== 0 && places.has(key)) {
      const message = 'combination of port, protocol and hostname must be unique for each listener: another listener has the same'
      refuse(place, CODE.duplicate, message)
    }
    places.add(key)
  })
}

const WITHOUT_TLS = ['HTTP', 'TCP', 'UDP']
const WITHOUT_HOST = ['TCP', 'UDP']
const HOSTNAME = /^(\*\.)?[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/

function checkListener({ port, protocol, hostname, tls }: Listener, at: Site, portRequired: boolean): void {
  if (port === undefined ? portRequired : port > 65_535 || (portRequired && port === 0))
    refuse(into(at, 'port'), CODE.port, 'port must be between 1 and 65535')
  if (tls !== undefined && WITHOUT_TLS.includes(protocol))
    refuse(into(at, 'tls'), CODE.conflict, `tls must not be specified for protocol ${protocol}: remove it, or use HTTPS or TLS`)
  if (protocol === 'HTTPS' && tls?.mode === 'Passthrough')
    refuse(
      into(into(at, 'tls'), 'mode'),
      CODE.conflict,
      'tls mode must be Terminate for protocol HTTPS: use TLS to pass it through',
    )
  if (
    tls !== undefined &&
    tls.mode !== 'Passthrough' &&
    isEmpty(tls.certificateRefs) &&
    Object.keys(tls.options ?? {}).length === 0
  )
    refuse(into(at, 'tls'), CODE.required, 'certificateRefs or options must be specified when mode is Terminate')
  if (hostname === undefined || hostname === '') return
  if (WITHOUT_HOST.includes(protocol))
    refuse(into(at, 'hostname'), CODE.conflict, `hostname must not be specified for protocol ${protocol}`)
  checkHostname(hostname, into(at, 'hostname'))
}

/** A host name, perhaps with `*.` in front. */
export function checkHostname(hostname: string, at: Site): void {
  if (hostname.length > 253 || !HOSTNAME.test(hostname))
    refuse(
      at,
      CODE.host,
      `invalid hostname ${JSON.stringify(hostname)}: lower case DNS name, with "*." in front for all names below it`,
    )
}

function isEmpty(list: readonly unknown[] | undefined): boolean {
  return list === undefined || list.length === 0
}
