import { fileURLToPath } from 'node:url'
import { createTestMesh, readFolder } from '@heddle/mesh/testing'
import { expect, test } from 'vitest'

const mesh = createTestMesh({ files: readFolder(fileURLToPath(new URL('config', import.meta.url))) })

test('nolen goes to v1, everybody else to v2', async () => {
  await mesh.expectReach('apps-v1', 'apps-client', 'http://apps-svc-all/', { headers: { username: 'nolen' } })
  await mesh.expectReach('apps-v2', 'apps-client', 'http://apps-svc-all/', { headers: { username: 'nolen2' } })
})

test('one of ten visitors of the shop sees v2', async () => {
  const { 'apps-v2': v2 = 0 } = await mesh.spread(200, 'apps-client', 'http://shop/')
  expect(v2).toBeGreaterThan(10)
  expect(v2).toBeLessThan(30)
})
