import { cCoreClient } from '../src/c-core-client.js'
import { describeCell } from '../src/cell.js'
import { findCCore, labelOf } from '../src/tools.js'
import { proxylessChecks } from './xds-proxyless.test-suite.js'

const tool = findCCore()

describeCell({ controlPlane: '@heddle/xds-server, SotW ADS', dataPlane: `${labelOf(tool)} by xds:///`, tool }, () =>
  proxylessChecks(cCoreClient(tool)),
)
