import { readFileSync } from 'node:fs'
import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { afterAll, beforeAll, expect, test } from 'vitest'
import { domOf } from '../src/browser/open-page.js'
import { describeWith } from '../src/cell.js'
import { findChromium } from '../src/tools.js'

const PAGE = join(import.meta.dirname, '../../../examples/reference-mesh/graph/index.html')

/** Counts that grow with each time they are asked for. */
function graphAt(asked: number): object {
  const edge = (source: string, destination: string, requests: number, errors: number, mutualTls: boolean): object => ({
    ...{ source, destination, mutualTls },
    ...{ requests: asked * requests, errors: asked * errors },
  })
  return {
    nodes: ['gateway', 'apps-client', 'apps-v1'],
    edges: [
      edge('gateway', 'apps-v1', 40, 0, true),
      edge('apps-client', 'apps-v1', 60, 20, true),
      edge('apps-client', 'outside', 10, 0, false),
    ],
  }
}

const chromium = findChromium()
describeWith(chromium, 'the page of the reference mesh in Chromium', () => {
  let server: Server
  let url = ''
  let asked = 0
  beforeAll(async () => {
    const page = readFileSync(PAGE)
    server = createServer((request, response) => {
      if (request.url === '/graph.json') return void response.end(JSON.stringify(graphAt(++asked)))
      response.setHeader('content-type', 'text/html; charset=utf-8').end(page)
    })
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
    url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`
  })
  afterAll(() => new Promise((resolve) => server.close(resolve)))

  test('shows nodes, rates, errors and mTLS, and follows them', async () => {
    const dom = await domOf(chromium, url)
    expect(asked).toBeGreaterThan(1)
    const nodes = [...dom.matchAll(/<g class="node">.*?<text[^>]*>([^<]*)/g)].map(([, name]) => name)
    expect(nodes.toSorted()).toEqual(['apps-client', 'apps-v1', 'gateway', 'outside'])
    const edges = [...dom.matchAll(/<g class="(edge[^"]*)">(.*?)<\/g>/g)].map(([, kind, inside = '']) => ({
      kind,
      said: inside
        .replaceAll(/<title>.*/g, '')
        .replaceAll(/<[^>]*>/g, '')
        .replaceAll(/[\d.]+/g, 'N'),
    }))
    expect(edges).toEqual([
      { kind: 'edge busy', said: 'N/s mTLS' },
      { kind: 'edge busy bad', said: 'N/s mTLS N errors/s' },
      { kind: 'edge busy', said: 'N/s plain' },
    ])
    expect(dom).toMatch(/<span id="state" role="status">3 proxies, [1-9][\d.]* requests\/s<\/span>/)
  })
})
