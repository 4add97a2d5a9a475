import { into, refuse, type Site } from '../decode/site.js'
import type { WasmPlugin, WasmPluginSpec } from '../kinds/wasm-plugin.js'
import { CODE } from './code.js'
import { each } from './each.js'
import { checkTargets } from './target-ref.js'

export function validateWasmPlugin({ spec }: WasmPlugin, at: Site): void {
  checkTargets(spec, at)
  checkWasm(spec, at)
  checkTrafficSelectors(spec.match, at)
}

/** The module and its machine: of a WasmPlugin, and of a TrafficExtension. */
export function checkWasm(
  spec: Pick<WasmPluginSpec, 'url' | 'sha256' | 'imagePullSecret' | 'pluginName' | 'vmConfig'>,
  at: Site,
): void {
  checkUrl(spec.url, into(at, 'url'))
  const { sha256 = '', imagePullSecret, pluginName = '' } = spec
  if (sha256 !== '' && sha256.length !== 64) refuse(into(at, 'sha256'), CODE.invalid, 'sha256 field must be 64 characters long')
  else if (sha256 !== '' && !/^[a-f0-9]{64}$/.test(sha256))
    refuse(into(at, 'sha256'), CODE.invalid, 'sha256 field must match [a-f0-9]{64} pattern')
  if (imagePullSecret !== undefined && (imagePullSecret === '' || imagePullSecret.length > 253)) {
    refuse(into(at, 'imagePullSecret'), CODE.range, 'imagePullSecret field must be 1 to 253 characters long')
  }
  if (pluginName.length > 256)
    refuse(into(at, 'pluginName'), CODE.range, 'pluginName field must be less than 256 characters long')
  const names = new Set<string>()
  each(spec.vmConfig?.env, into(at, 'vmConfig'), 'env', ({ name, valueFrom, value = '' }, place) => {
    if (name === '') refuse(into(place, 'name'), CODE.required, 'spec.vmConfig.env invalid: a variable needs a name')
    else if (name.length > 256) refuse(into(place, 'name'), CODE.range, 'env.name field must be less than 256 characters long')
    if (names.has(name)) refuse(into(place, 'name'), CODE.duplicate, `env ${name} is there twice`)
    names.add(name)
    if (value !== '' && valueFrom === 'HOST')
      refuse(into(place, 'value'), CODE.conflict, 'value of a variable from HOST is ignored: remove it')
    if (value.length > 2048) refuse(into(place, 'value'), CODE.range, 'env.value field must be less than 2048 characters long')
  })
}

export function checkTrafficSelectors(match: WasmPluginSpec['match'], at: Site): void {
  each(match, at, 'match', ({ ports }, place, m) => {
    each(ports, place, 'ports', ({ number }, where, p) => {
      if (number < 1 || number > 65535)
        refuse(into(where, 'number'), CODE.port, `spec.Match[${m}].Ports[${p}] is out of range: ${number}`)
    })
  })
}

function checkUrl(url: string, at: Site): void {
  const scheme = /^([A-Za-z][A-Za-z0-9+.-]*):\/\//.exec(url)?.[1]
  if (url === '') refuse(at, CODE.required, 'url field needs to be set')
  else if (scheme !== undefined && !['file', 'http', 'https', 'oci'].includes(scheme)) {
    refuse(at, CODE.invalid, `url contains unsupported scheme: ${scheme}: one of oci, http, https, file`)
    // biome-ignore lint/suspicious/noControlCharactersInRegex: control characters are what must not be there
  } else if (/[\u0000-\u0020\u007f]/.test(url))
    refuse(at, CODE.invalid, 'failed to parse url: it has blanks or control characters')
}
