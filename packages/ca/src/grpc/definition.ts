import type { MethodDefinition, ServiceDefinition } from '@grpc/grpc-js'
import type { MessageType, MethodType } from '@heddle/xds-types'
import {
  type IstioCertificateRequest,
  type IstioCertificateResponse,
  IstioCertificateService,
} from '@heddle/xds-types/istio/v1/auth'

const { path, request, response }: MethodType<IstioCertificateRequest, IstioCertificateResponse> =
  IstioCertificateService.methods.CreateCertificate
const pass = (bytes: Buffer): Buffer => bytes

/** Bytes through: reading them is the handler's, so that a bad request is an answer and not a broken call. */
export const CREATE_CERTIFICATE: MethodDefinition<Buffer, Buffer> = {
  path,
  requestStream: false,
  responseStream: false,
  requestSerialize: pass,
  requestDeserialize: pass,
  responseSerialize: pass,
  responseDeserialize: pass,
}

/** `istio.v1.auth.IstioCertificateService` */
export const CERTIFICATE_SERVICE: ServiceDefinition = { CreateCertificate: CREATE_CERTIFICATE }

export const requestType: MessageType<IstioCertificateRequest> = request
export const responseType: MessageType<IstioCertificateResponse> = response

export function toBuffer(bytes: Uint8Array): Buffer {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
}
