import type { Result } from '@heddle/runtime'
import { resourceTypes } from '@heddle/xds-types/known'

/** A resource as a response carried it, decoded by its type or refused. */
export interface ReceivedResource {
  /** Empty when the bytes were too broken to tell. */
  readonly name: string
  /** Of the resource in Delta, of the response in SotW. */
  readonly version: string
  readonly message: Result<object>
  /** Delta: further names that it answers to (VHDS). */
  readonly aliases?: readonly string[]
}

/** What one response asks for. Pure data: both protocols come down to it. */
export interface ReceivedUpdate {
  readonly typeUrl: string
  readonly version: string
  readonly nonce: string
  readonly resources: readonly ReceivedResource[]
  /** Delta: told by the server. SotW: of LDS and CDS, what the full set no longer holds. */
  readonly removed: readonly string[]
  /** Delta: names that were asked for and stand for nothing (VHDS). */
  readonly absent?: readonly string[]
  readonly controlPlane: string
}

/** A resource that was not taken, and why. */
export interface Rejection {
  readonly name: string
  /** One reason per line: `listener.filter_chains[0].filters[1]: …`. */
  readonly message: string
}

/**
 * The client's side of an xDS variant as a pure state machine: it knows subscriptions, versions and nonces, sends nothing
 * itself, and answers each event with the requests that are due. `Request` is the variant's message, without `node`.
 */
export interface ProtocolClient<Request, Response> {
  /** Path of the gRPC method. */
  readonly method: string
  /** All resources of a type. */
  subscribeAll(typeUrl: string): readonly Request[]
  /** Asks for a type without any name, where nothing was asked yet: what comes is the server's choice (Delta's VHDS). */
  begin(typeUrl: string): readonly Request[]
  /** Adds and drops names; a name that is there twice counts once. */
  subscribe(typeUrl: string, add: readonly string[], drop: readonly string[]): readonly Request[]
  /** A stream has opened: what was subscribed is asked for again, with the versions at hand and no nonce. */
  open(): readonly Request[]
  /** The stream is gone. */
  close(): void
  /** Something that is subscribed has not come yet, nor is known not to exist. */
  lacks(): boolean
  /** Undefined: a type that nobody subscribed; it is left alone. */
  receive(response: Response): ReceivedUpdate | undefined
  /** ACK, or NACK when there are rejections; after the update was applied. */
  acknowledge(update: ReceivedUpdate, rejections: readonly Rejection[]): readonly Request[]
}

const TYPE_ORDER: readonly string[] = resourceTypes.map((type) => type.typeUrl)

/** Subscriptions go out on a new stream in this order: clusters before what points at them. */
export function byTypeOrder(a: string, b: string): number {
  const place = (typeUrl: string): number => (TYPE_ORDER.includes(typeUrl) ? TYPE_ORDER.indexOf(typeUrl) : TYPE_ORDER.length)
  return place(a) - place(b)
}
