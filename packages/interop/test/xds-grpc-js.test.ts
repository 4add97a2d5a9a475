import { createRequire } from 'node:module'
import { describeCell } from '../src/cell.js'
import { grpcJsClient } from '../src/grpc-js-client.js'
import { proxylessChecks } from './xds-proxyless.test-suite.js'

const { version } = createRequire(import.meta.url)('@grpc/grpc-js-xds/package.json') as { version: string }

describeCell({ controlPlane: '@heddle/xds-server, SotW ADS', dataPlane: `grpc-js-xds ${version} by xds:///` }, () =>
  proxylessChecks(grpcJsClient),
)
