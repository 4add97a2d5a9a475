import { describe, expect, it } from 'vitest'
import { Bootstrap } from '../src/gen/envoy/config/bootstrap/v3.js'
import { knownTypes } from '../src/known.js'
import { changed, HARMLESS, POISONS, soundBootstrap } from './poisoned.js'
import { envoySays, tryEnvoy } from './stock-envoy.js'

const oursSays = (bootstrap: object): readonly string[] => {
  const read = Bootstrap.fromJson(bootstrap, knownTypes)
  return [...read.diagnostics, ...(read.ok ? Bootstrap.validate(read.value, knownTypes) : [])].map(
    ({ path: at, message }) => `${at}: ${message}`,
  )
}

/** The innermost of Envoy's reasons. It names a pattern where we say what the text is to be. */
function reasonOf(message: string): string {
  const reason = /(?:reason|Error\.[^:]*): ([^|]*?)\)\s*$/.exec(message.trim())?.[1] ?? message
  return reason.includes('regex pattern') ? 'is not a header' : reason
}

describe.skipIf(!tryEnvoy)('Envoy in --mode validate and our rules', () => {
  it('accept the same bootstrap', () => {
    expect([envoySays(soundBootstrap()), oursSays(soundBootstrap())]).toEqual([undefined, []])
  })

  it.each(
    POISONS.map(([at, value]) => [at.replace(/^static_resources\.|\.typed_config/g, ''), JSON.stringify(value), at, value]),
  )('refuse %s = %s', (_, __, at, value) => {
    const theirs = envoySays(changed(at as string, value))
    expect(theirs ?? 'nothing', 'Envoy').toContain('Proto constraint validation failed')
    const field = (at as string).split('.').filter((step) => !/^\d+$/.test(step))
    const ours = oursSays(changed(at as string, value))
    expect(ours).toEqual([expect.stringContaining(field.at(-2) as string)])
    expect(ours[0]).toContain(reasonOf(theirs ?? ''))
  })

  it.each(HARMLESS)('accept %s = %j', (at, value) => {
    expect([envoySays(changed(at, value)), oursSays(changed(at, value))]).toEqual([undefined, []])
  })
})
