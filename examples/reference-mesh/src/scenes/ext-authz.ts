import { createServer, type Server } from 'node:http'
import type { AddressInfo } from 'node:net'
import type { Scene } from '../scene.js'

/** The whole authorization service: the blue team may, anybody else hears why not. */
function startAuthorizer(): Promise<Server> {
  const server = createServer((request, response) => {
    const team = String(request.headers['x-team'] ?? 'no team')
    if (team === 'blue') response.writeHead(200, { 'x-checked-by': 'authorizer' })
    else response.writeHead(403, { 'x-reason': `${team} is not blue` })
    response.end(team === 'blue' ? '' : 'ask the blue team')
  })
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)))
}

/** AuthorizationPolicy with action CUSTOM: the proxies ask a service of one's own. */
export const extAuthz: Scene = {
  title: 'CUSTOM authorization: a service of 20 lines decides about /info',
  async run(mesh, report) {
    const authorizer = await startAuthorizer()
    const port = String((authorizer.address() as AddressInfo).port)
    await mesh.apply('ext-authz.yaml', 'ext-authz.yaml', { PORT_AUTHORIZER: port })
    const ask = async (path: string, team?: string): Promise<string> => {
      const { last } = await mesh.call('apps-client', {
        host: 'apps-svc-v1',
        path,
        headers: team === undefined ? {} : { 'x-team': team },
      })
      return `${last.status} ${last.headers['x-reason'] ?? last.body}`
    }
    const checks = [
      { what: '/info for the blue team', got: await ask('/info', 'blue'), wants: '200 c1 is well' },
      { what: '/info for the red team', got: await ask('/info', 'red'), wants: '403 red is not blue' },
      { what: '/ , which the policy does not select', got: await ask('/', 'red'), wants: '200 c1' },
    ]
    await new Promise((resolve) => {
      authorizer.closeAllConnections()
      authorizer.close(resolve)
    })
    checks.push({ what: '/info when nobody answers', got: await ask('/info', 'blue'), wants: '403 ' })
    for (const { what, got, wants } of checks) report.check(got === wants, `${what}: ${got}`)
    await mesh.remove('ext-authz.yaml')
  },
}
