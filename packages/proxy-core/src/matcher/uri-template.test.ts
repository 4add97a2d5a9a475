import { describe, expect, it } from 'vitest'
import { compileUriRewrite, compileUriTemplate } from './uri-template.js'

describe('URI templates', () => {
  it.each([
    ['/a/*', '/a/b', true],
    ['/a/*', '/a/', false],
    ['/a/*', '/a/b/c', false],
    ['/a/**', '/a/', true],
    ['/a/**', '/a/b/c', true],
    ['/a/**', '/a', false],
    ['/a/{x}/c', '/a/b/c', true],
    ['/a/{x=b/*}/d', '/a/b/c/d', true],
    ['/a/{x=**}', '/a/b/c', true],
    ['/**.m3u8', '/x/y.m3u8', true],
    ['/**.m3u8', '/x/yAm3u8', false],
    ['/a.b', '/aXb', false],
    ['/(x)', '/(x)', true],
  ])('%s fits %s: %j', (template, path, want) => {
    const compiled = compileUriTemplate(template, '')
    expect(compiled.ok && compiled.value.regex.matchesAll(path)).toBe(want)
  })

  it.each(['a', '/{x', '/{1}', '/**/*', '/**/{x}', '/{x}/{x}', '/{a}{b}{c}{d}{e}{f}', '/{x=**/b*}', '/[a]', '/a b'])(
    '%s is refused (CVE-2026-39350)',
    (template) => {
      expect(compileUriTemplate(template, 'p')).toMatchObject({
        ok: false,
        diagnostics: [{ code: 'uri_template.invalid', path: 'p' }],
      })
    },
  )

  it('rewrites by variable names', () => {
    const template = compileUriTemplate('/{lang}/{rest=**}', '')
    if (!template.ok) throw new Error('refused')
    const rewrite = compileUriRewrite(template.value, '/{rest}/in/{lang}\\1', '')
    expect(rewrite.ok && template.value.regex.replaceAll('/en/a/b', rewrite.value)).toBe('/a/b/in/en\\1')
    expect(compileUriRewrite(template.value, '/{other}', 'q')).toMatchObject({ ok: false, diagnostics: [{ path: 'q' }] })
  })
})
