import { expect, test } from 'vitest'
import { checkAnnotations } from './annotations.js'

test.each([
  ['sidecar.istio.io/interceptionMode', 'TPROXY', 'tproxy'],
  ['status.sidecar.istio.io/port', '0', '65536'],
  ['readiness.status.sidecar.istio.io/periodSeconds', '10', '-1'],
  ['traffic.sidecar.istio.io/includeOutboundIPRanges', '*', 'x'],
  ['traffic.sidecar.istio.io/includeOutboundIPRanges', '10.0.0.0/8,fd00::/8,::1/128', '10.0.0.0'],
  ['traffic.sidecar.istio.io/excludeOutboundIPRanges', '', '*'],
  ['traffic.sidecar.istio.io/excludeOutboundIPRanges', '1.2.3.4/32', '1.2.3.400/32'],
  ['traffic.sidecar.istio.io/excludeOutboundIPRanges', '1:2:3:4:5:6:7:8/128', '1:2:3:4:5:6:7/128'],
  ['traffic.sidecar.istio.io/includeInboundPorts', '*', '80;81'],
  ['traffic.sidecar.istio.io/excludeInboundPorts', '80, 81', '*'],
  ['traffic.sidecar.istio.io/excludeOutboundPorts', '', '99999'],
  ['prometheus.istio.io/merge-metrics', 'T', 'yes'],
  ['sidecar.istio.io/userVolume', '{"a":{"emptyDir":{}}}', '[1]'],
  ['sidecar.istio.io/userVolume', '[{"name":"a","emptyDir":{}}]', '{"a":1}'],
  ['sidecar.istio.io/userVolumeMount', '{}', '{'],
])('%s: %j is right, %j is wrong', (name, right, wrong) => {
  expect(checkAnnotations({ annotations: { [name]: right } })).toEqual([])
  const [problem, ...more] = checkAnnotations({ annotations: { [name]: wrong } })
  expect(more).toEqual([])
  expect(problem).toMatchObject({ code: 'inject.invalid_annotation', path: `metadata.annotations["${name}"]` })
  expect(problem!.message).toContain(JSON.stringify(wrong))
})

test('a value that is no string is named', () => {
  const metadata = { annotations: { 'status.sidecar.istio.io/port': 123 as unknown as string } }
  expect(checkAnnotations(metadata)[0]!.message).toContain('quote it')
})
