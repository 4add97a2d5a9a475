import { describe, expect, it } from 'vitest'
import { decodeSnapshot, encodeSnapshot } from './snapshot.js'

const types = new Map([['type.googleapis.com/a', [{ name: 'one', version: '7', value: 'AAE=' }]]])
const text = encodeSnapshot({ node: 'proxy-1', types })

describe('a configuration snapshot', () => {
  it('comes back as it was', () => {
    expect(decodeSnapshot(text, 'proxy-1')).toEqual({ ok: true, value: { node: 'proxy-1', types }, diagnostics: [] })
  })

  it.each([
    ['nothing', '', 'no configuration snapshot'],
    ['another file', '{}\n', 'no configuration snapshot'],
    ['another format', text.replace(' 1 ', ' 2 '), 'format 2'],
    ['a cut', text.slice(0, -10), 'checksum'],
    ['a changed byte', text.replace('"one"', '"two"'), 'checksum'],
  ])('refuses %s', (_, changed, why) => {
    const decoded = decodeSnapshot(changed, 'proxy-1')
    expect(decoded.ok).toBe(false)
    expect(decoded.diagnostics[0]?.message).toContain(why)
  })

  it('is for one node alone', () => {
    expect(decodeSnapshot(text, 'proxy-2').diagnostics[0]?.message).toContain('"proxy-1"')
  })
})
