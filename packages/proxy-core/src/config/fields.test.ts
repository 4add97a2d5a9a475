import { describe, expect, it } from 'vitest'
import { parseDuration } from './duration.js'
import { compileMessage, typedConfig } from './fields.js'

describe('fields', () => {
  const paths = (json: object, build: Parameters<typeof compileMessage<Record<string, unknown>, unknown>>[2]): string[] =>
    compileMessage(json as Record<string, unknown>, 'root', build).diagnostics.map(({ code, path }) => `${code} ${path}`)

  it('refuses every field that was not read, by its whole path', () => {
    const problems = paths({ known: 1, strange: true, list: [{ inner: 1 }] }, (fields) => {
      fields.number('known')
      for (const each of fields.messages('list')) each.done()
      fields.done()
    })
    expect(problems).toEqual(['config.unsupported_field root.list[0].inner', 'config.unsupported_field root.strange'])
  })

  it('passes over what is named harmless, and what is null', () => {
    expect(paths({ tuning: 1, absent: null }, (fields) => fields.done({ tuning: 'only tunes' }))).toEqual([])
  })

  it.each([
    [{ n: 'x' }, 'n'],
    [{ n: { value: 1 } }, 'n'],
    [{ n: [] }, 'n'],
  ])('tells a wrong shape: %j', (json, name) => {
    expect(paths(json, (fields) => fields.number(name))).toEqual([`config.invalid root.${name}`])
  })

  it('reads int64 from text and refuses unknown choices', () => {
    const result = compileMessage<Record<string, unknown>, unknown>({ big: '12', mode: 'ODD' }, '', (fields) => {
      expect(fields.number('big')).toBe(12)
      return fields.choice('mode', ['EVEN'], 'EVEN')
    })
    expect(result).toMatchObject({ ok: false, diagnostics: [{ path: 'mode' }] })
  })

  it('does not read inherited names (CVE-2026-21710)', () => {
    compileMessage<Record<string, unknown>, unknown>({}, '', (fields) => {
      expect(fields.has('__proto__')).toBe(false)
      expect(fields.raw('constructor')).toBeUndefined()
    })
  })

  it('looks into a TypedStruct', () => {
    const any = {
      '@type': 'type.googleapis.com/udpa.type.v1.TypedStruct',
      type_url: 'type.googleapis.com/io.istio.X',
      value: { a: 1 },
    }
    expect(typedConfig(any, 'p')).toEqual({ typeName: 'io.istio.X', value: { a: 1 }, path: 'p.value' })
    expect(typedConfig({ a: 1 }, 'p')).toBeUndefined()
  })
})

describe('durations', () => {
  it.each([
    ['1.5s', 1500],
    ['0s', 0],
    ['0.000001s', 0.001],
    ['-2s', -2000],
    ['1.5', undefined],
    ['1h', undefined],
    [15, undefined],
  ])('%j is %j ms', (text, ms) => {
    expect(parseDuration(text)).toBe(ms)
  })
})
