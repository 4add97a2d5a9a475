import { expect, test } from 'vitest'
import { compareDumps, formatComparison } from './compare.js'
import { type Dump, readConfigDump } from './read.js'

const ADMIN = 'type.googleapis.com/envoy.admin.v3.'

function dump(clusters: readonly object[], isStatic: readonly object[] = []): Dump {
  const section = {
    '@type': `${ADMIN}ClustersConfigDump`,
    dynamic_active_clusters: clusters.map((cluster) => ({ cluster })),
    static_clusters: isStatic.map((cluster) => ({ cluster })),
  }
  return readConfigDump(JSON.stringify({ configs: [section] }), 'dump.json', { dynamicOnly: true })
}

test('the order of fields, the type of an Any and what the bootstrap brings make no difference', () => {
  const sent = dump([{ name: 'a', type: 'EDS', connect_timeout: '10s' }])
  const held = dump(
    [{ '@type': 'type.googleapis.com/envoy.config.cluster.v3.Cluster', connect_timeout: '10s', type: 'EDS', name: 'a' }],
    [{ name: 'xds-grpc' }],
  )
  const comparison = compareDumps(sent, held)
  expect(comparison).toEqual({ clusters: [], listeners: [], routes: [] })
  expect(formatComparison(comparison)).toBe('Clusters Match\nListeners Match\nRoutes Match\n')
})

test('what differs, what is missing and what is too many are told by name', () => {
  const comparison = compareDumps(
    dump([{ name: 'a', type: 'EDS' }, { name: 'sent' }]),
    dump([{ name: 'a', type: 'STATIC' }, { name: 'held' }]),
  )
  expect(comparison.clusters.map(({ name }) => name)).toEqual(['a', 'held', 'sent'])
  expect(formatComparison(comparison)).toBe(`--- Control plane Clusters
+++ Proxy Clusters
# a
@@ -1,4 +1,4 @@
 {
   "name": "a",
-  "type": "EDS"
+  "type": "STATIC"
 }
# held
@@ -0,0 +1,3 @@
+{
+  "name": "held"
+}
# sent
@@ -1,3 +0,0 @@
-{
-  "name": "sent"
-}
Listeners Match
Routes Match
`)
})
