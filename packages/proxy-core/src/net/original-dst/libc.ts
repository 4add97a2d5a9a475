import { OriginalDstError } from './original-dst.js'

/** The calls of the C library that Node does not have. Each returns 0, or -1 when it fails. */
export interface Libc {
  getsockopt(fd: number, level: number, option: number, value: Uint8Array, length: [number]): number
  setsockopt(fd: number, level: number, option: number, value: Uint8Array, length: number): number
  /** The descriptor. */
  socket(domain: number, type: number, protocol: number): number
  bind(fd: number, address: Uint8Array, length: number): number
  close(fd: number): number
  /** Of the last call. */
  errno(): number
}

/** What is used of the package koffi. */
export interface Koffi {
  load(path: null): { func(definition: string): unknown }
  errno(): number
}

const importKoffi = async (): Promise<Koffi> => (await import('koffi')).default

/** By the optional dependency koffi. Rejects with {@link OriginalDstError} where it is not installed. */
export async function loadLibc(load: () => Promise<Koffi> = importKoffi): Promise<Libc> {
  let koffi: Koffi
  try {
    koffi = await load()
  } catch (error) {
    const [reason] = String((error as Error).message).split('\n')
    throw new OriginalDstError(
      `redirected connections need the optional package koffi, which cannot be loaded (${reason}): install it, or give createSystemNetwork another originalDst, as createMappedOriginalDst for destinations that an nft map rewrites`,
    )
  }
  // The process itself: glibc and musl name their library differently.
  const libc = koffi.load(null)
  return {
    getsockopt: libc.func('int getsockopt(int, int, int, _Out_ uint8_t *, _Inout_ uint32_t *)') as Libc['getsockopt'],
    setsockopt: libc.func('int setsockopt(int, int, int, const uint8_t *, uint32_t)') as Libc['setsockopt'],
    socket: libc.func('int socket(int, int, int)') as Libc['socket'],
    bind: libc.func('int bind(int, const uint8_t *, uint32_t)') as Libc['bind'],
    close: libc.func('int close(int)') as Libc['close'],
    errno: () => koffi.errno(),
  }
}
