import { expect, test } from 'vitest'
import { fieldsOfKinds } from './fields-of.js'

test('fields at every depth, through lists', () => {
  expect(fieldsOfKinds('VirtualService').get('VirtualService')).toEqual(
    expect.arrayContaining([
      'hosts',
      'http',
      'http[].timeout',
      'http[].route[].destination.port.number',
      'http[].fault.delay.fixedDelay',
    ]),
  )
})

test('what kinds share is listed once', () => {
  const fields = fieldsOfKinds('DestinationRule', 'Sidecar')
  expect(fields.get('DestinationRule')).toContain('trafficPolicy.connectionPool.tcp')
  expect(fields.get('Sidecar')).toContain('inboundConnectionPool')
  expect(fields.get('Sidecar')).not.toContain('inboundConnectionPool.tcp')
})
