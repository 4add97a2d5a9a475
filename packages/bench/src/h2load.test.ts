import { expect, it } from 'vitest'
import { readH2load } from './h2load.js'

it('reads what h2load prints', () => {
  const text = `finished in 1.13s, 8000.00 req/s, 555.20KB/s
requests: 8158 total, 8248 started, 8158 done, 8000 succeeded, 158 failed, 150 errored, 8 timeout
status codes: 7990 2xx, 0 3xx, 7 4xx, 3 5xx
traffic: 555.20KB (568528) total, 375.00KB (384000) headers (space savings 51.02%), 39.06KB (40000) data
                     min         max         mean         sd        +/- sd
time for request:       89us     19.66ms      7.97ms      4.21ms    61.80%
req/s           :    3726.58     3974.71     3830.64       90.61    50.00%
`
  expect(readH2load(text)).toEqual({ requests: 8000, bytes: 40_000, badStatus: 10, socketErrors: 158, more: { 'mean ms': 7.97 } })
  expect(readH2load(text.replace('7.97ms', ' 312us')).more).toEqual({ 'mean ms': 0.312 })
})
