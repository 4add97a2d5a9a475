import { describe, expect, it } from 'vitest'
import { compileTimeFormat } from './start-time.js'

const SUNDAY_NIGHT = Date.UTC(2026, 10, 22, 22, 20, 52, 760)
const NEW_YEAR = Date.UTC(2027, 0, 1, 0, 5, 7)

describe('a time format', () => {
  it.each([
    ['%c', 'Sun Nov 22 22:20:52 2026', 'Fri Jan  1 00:05:07 2027'],
    ['%x %X %D', '11/22/26 22:20:52 11/22/26', '01/01/27 00:05:07 01/01/27'],
    ['%y-%C %h', '26-20 Nov', '27-20 Jan'],
    ['%j %u %w', '326 7 0', '001 5 5'],
    ['%U %W', '47 46', '00 00'],
    ['%V %G %g', '47 2026 26', '53 2026 26'],
    ['%k|%l|%I|%p|%P', '22|10|10|PM|pm', ' 0|12|12|AM|am'],
    ['%r', '10:20:52 PM', '12:05:07 AM'],
    ['%E4Y %Ez %z %ET', '2026 +00:00 +0000 T', '2027 +00:00 +0000 T'],
    ['%E*S %E3S %3f %6f', '52.76 52.760 760 760000', '07 07.000 000 000000'],
    ['%t%n%%', '\t\n%', '\t\n%'],
    ['%Q %E9', '%Q %E9', '%Q %E9'],
  ])('%s', (format, night, newYear) => {
    const write = compileTimeFormat(format)
    expect([write(SUNDAY_NIGHT), write(NEW_YEAR)]).toEqual([night, newYear])
  })
})
