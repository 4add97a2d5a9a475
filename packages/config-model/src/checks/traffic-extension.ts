import { into, refuse, type Site } from '../decode/site.js'
import type { TrafficExtension } from '../kinds/traffic-extension.js'
import { CODE } from './code.js'
import { checkTargets } from './target-ref.js'
import { checkTrafficSelectors, checkWasm } from './wasm.js'

const MAX_LUA_BYTES = 64 * 1024

export function validateTrafficExtension({ spec }: TrafficExtension, at: Site): void {
  checkTargets(spec, at)
  checkTrafficSelectors(spec.match, at)
  if ((spec.wasm === undefined) === (spec.lua === undefined)) refuse(at, CODE.required, 'exactly one of wasm or lua must be set')
  if (spec.wasm !== undefined) checkWasm(spec.wasm, into(at, 'wasm'))
  if (spec.lua === undefined) return
  const place = into(into(at, 'lua'), 'inlineCode')
  if (spec.lua.inlineCode === '') refuse(place, CODE.required, 'lua.inlineCode must be set')
  if (new TextEncoder().encode(spec.lua.inlineCode).length > MAX_LUA_BYTES)
    refuse(place, CODE.range, 'lua.inlineCode exceeds maximum size of 64KB')
}
