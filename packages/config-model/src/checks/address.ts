import { refuse, type Site } from '../decode/site.js'
import { isCidr, isIpAddress } from '../names/ip.js'
import { CODE } from './code.js'

export const UNIX_PREFIX = 'unix://'

export function checkIpAddress(address: string, at: Site): void {
  if (!isIpAddress(address)) refuse(at, CODE.address, `${address} is not a valid IP address`)
}

/** An address or `address/bits`. */
export function checkSubnet(subnet: string, at: Site): void {
  if (isIpAddress(subnet) || isCidr(subnet)) return
  refuse(at, CODE.address, subnet.includes('/') ? `${subnet} is not a valid CIDR block` : `${subnet} is not a valid IP address`)
}

/** The part behind `unix://`: an absolute path of a file, or `@` and an abstract name. */
export function checkUnixPath(path: string, at: Site): void {
  if (path === '') refuse(at, CODE.address, 'unix address must not be empty')
  else if (!path.startsWith('@') && (!path.startsWith('/') || path.endsWith('/'))) {
    refuse(at, CODE.address, `${path} is not an absolute path to a file`)
  }
}
