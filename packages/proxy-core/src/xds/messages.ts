import type { Result } from '@heddle/runtime'

/** A resource on the wire. Without `value` it is a heartbeat. */
export interface WireResource {
  readonly name: string
  readonly version: string
  readonly value: Uint8Array | undefined
}

/** DeltaDiscoveryResponse with its resources still encoded. */
export interface DeltaResponse {
  readonly typeUrl: string
  readonly systemVersion: string
  readonly nonce: string
  readonly resources: readonly WireResource[]
  readonly removed: readonly string[]
  readonly controlPlane: string
}

/** DiscoveryResponse with its resources still encoded. Names stand inside them. */
export interface SotwResponse {
  readonly typeUrl: string
  readonly version: string
  readonly nonce: string
  readonly resources: readonly Uint8Array[]
  readonly controlPlane: string
}

/** Decodes one resource of a type. */
export type DecodeResource = (typeUrl: string, value: Uint8Array) => Result<object>

/** What the SotW variant must know of types. */
export interface SotwTypes {
  readonly decode: DecodeResource
  nameOf(typeUrl: string, message: object): string
  /** A response holds everything that is subscribed: LDS, CDS. */
  isFullState(typeUrl: string): boolean
}
