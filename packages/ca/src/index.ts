export { type Authenticator, bearerToken, type Caller, firstOf, type Peer } from './authenticators/authenticator.js'
export { createCertificateAuthenticator } from './authenticators/client-certificate.js'
export { createFixedAuthenticator } from './authenticators/fixed.js'
export { createJwtAuthenticator, identityOfClaims, type JwtAuthenticatorOptions } from './authenticators/jwt.js'
export { createTokenIssuer, type TokenIssuer, type TokenIssuerOptions } from './authenticators/token-issuer.js'
export {
  type AuthorityOptions,
  CaError,
  type CertificateAuthority,
  createAuthority,
  type ReplaceableAuthority,
} from './authority.js'
export {
  type CertificateFacts,
  createIntermediateCertificate,
  createLeafCertificate,
  createRootCertificate,
  readCertificate,
  type Signer,
  type Validity,
} from './certificate.js'
export { type CertificateRequest, createCsr, readCsr } from './csr.js'
export { type DerNode, MAX_DER_BYTES, MAX_DER_DEPTH, readDer } from './der/reader.js'
export type { SubjectAltName } from './extensions.js'
export { DEFAULT_TTL_MS, type Grant, type GrantPolicy, grantFor, MAX_TTL_MS, workloadGrant } from './grants.js'
export { type IssuedIdentity, issueIdentity } from './issue.js'
export { createKey, exportKey, importKey, type KeyAlgorithm, weakness } from './keys.js'
export { readNames } from './names.js'
export { fromPem, splitCertificates, toPem } from './pem.js'
export { openPluggedIn, type PluggedInAuthority, type PluggedInFiles, readPluggedInFolder } from './plugged-in.js'
export { createSelfSignedAuthority, type SelfSignedOptions } from './self-signed.js'
export { createFolderStore, createMemoryStore, type RootMaterial, type RootStore } from './store.js'
export {
  createServerCertificate,
  createWorkloadCertificate,
  type Identity,
  type ServerCertificateOptions,
  type SignedChain,
  type WorkloadCertificate,
  type WorkloadCertificateOptions,
} from './workload-certificate.js'
