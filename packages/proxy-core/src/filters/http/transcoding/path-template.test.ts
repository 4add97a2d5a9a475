import { expect, it } from 'vitest'
import { compilePathTemplate } from './path-template.js'

it.each([
  ['/v1/books', '/v1/books', {}],
  ['/v1/books', '/v1/books/', undefined],
  ['/v1/books/{id}', '/v1/books/7', { id: '7' }],
  ['/v1/books/{id}', '/v1/books/', undefined],
  ['/v1/books/{id}', '/v1/books/a%2Fb%20c', { id: 'a/b c' }],
  ['/v1/{name=shelves/*/books/*}', '/v1/shelves/a/books/b', { name: 'shelves/a/books/b' }],
  ['/v1/{name=shelves/*}', '/v1/other/a', undefined],
  ['/v1/{name=**}', '/v1/a/b%2Fc/d%20e', { name: 'a/b%2Fc/d e' }],
  ['/v1/{name=a/**}/end', '/v1/a/b/c/end', { name: 'a/b/c' }],
  ['/v1/{id}:sell', '/v1/7:sell', { id: '7' }],
  ['/v1/{id}:sell', '/v1/7', undefined],
  ['/v1/{shelf.id}/x/{id}', '/v1/1/x/2', { 'shelf.id': '1', id: '2' }],
  ['/v1/*/x', '/v1/any/x', {}],
])('%s of %s: %j', (template, path, want) => {
  const bindings = compilePathTemplate(template)!.match(path)
  expect(bindings && Object.fromEntries(bindings.map(({ field, value }) => [field, value]))).toEqual(want)
})

it.each(['v1', '/v1/{a', '/v1/{a-b}', '/v1//x', '/v1/{1}'])('%s is none', (template) => {
  expect(compilePathTemplate(template)).toBeUndefined()
})
