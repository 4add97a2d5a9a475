export { type Authenticator, bearerToken, type Caller, firstOf, type Peer } from './authenticators/authenticator.js'
export { createCertificateAuthenticator } from './authenticators/client-certificate.js'
export { createFixedAuthenticator } from './authenticators/fixed.js'
export { createJwtAuthenticator, identityOfClaims, type JwtAuthenticatorOptions } from './authenticators/jwt.js'
export { createTokenIssuer, type TokenIssuer, type TokenIssuerOptions } from './authenticators/token-issuer.js'
export {
  createTokenReviewAuthenticator,
  type TokenReviewAuthenticatorOptions,
  type TokenReviewSpec,
  type TokenReviewStatus,
} from './authenticators/token-review.js'
export {
  type AuthorityOptions,
  CaError,
  type CertificateAuthority,
  createAuthority,
  type ReplaceableAuthority,
} from './authority.js'
export { type FollowBundleOptions, type FollowedBundle, followBundle } from './bundle-follow.js'
export { CA_FILES, createCaFolder, readPluggedInFolder, replaceCaFile } from './ca-folder.js'
export {
  type AuthorityName,
  type CertificateFacts,
  createIntermediateCertificate,
  createLeafCertificate,
  createRootCertificate,
  readCertificate,
  type Signer,
  type Validity,
} from './certificate.js'
export {
  createCrl,
  REVOCATION_REASONS,
  type Revocation,
  type RevocationList,
  type RevocationListContent,
  type RevocationReason,
  readCrl,
} from './crl.js'
export { type CertificateRequest, createCsr, readCsr } from './csr.js'
export { type DerNode, MAX_DER_BYTES, MAX_DER_DEPTH, readDer } from './der/reader.js'
export type { SubjectAltName } from './extensions.js'
export {
  createFolderRevocationStore,
  type FolderAuthority,
  openFolderAuthority,
  watchFolderRevocations,
} from './folder-authority.js'
export { createFolderRotation, type FolderRotation, type FolderRotationOptions } from './folder-rotation.js'
export { DEFAULT_TTL_MS, type Grant, type GrantPolicy, grantFor, MAX_TTL_MS, workloadGrant } from './grants.js'
export { type IssuedIdentity, issueIdentity } from './issue.js'
export {
  createJwtSvidIssuer,
  type JwtSvidIssuer,
  type JwtSvidIssuerOptions,
  type VerifiedJwtSvid,
  verifyJwtSvid,
} from './jwt-svid.js'
export { createKey, exportKey, importKey, type KeyAlgorithm, weakness } from './keys.js'
export { readNames } from './names.js'
export { type OwnSvidOptions, verifyOwnSvid } from './own-svid.js'
export { fromPem, splitCertificates, toPem } from './pem.js'
export { openPluggedIn, type PluggedInAuthority, type PluggedInFiles } from './plugged-in.js'
export { type PluggedInWatchOptions, watchPluggedIn } from './plugged-in-watch.js'
export {
  createRevocations,
  normalSerial,
  type RevocationStore,
  type Revocations,
  type RevocationsOptions,
} from './revocations.js'
export {
  createRootRotation,
  type NextAuthority,
  type RootRotation,
  type RootRotationOptions,
  type RotationPhase,
} from './rotation.js'
export { createSelfSignedAuthority, type SelfSignedOptions } from './self-signed.js'
export { readSpiffeUri, type SpiffeUri } from './spiffe-uri.js'
export { createFolderStore, createMemoryStore, type RootMaterial, type RootStore } from './store.js'
export { readLeafSvid, readSigningSvid, type Svid } from './svid.js'
export {
  readPemBundle,
  readSpiffeBundle,
  type TrustBundle,
  type TrustBundles,
  trustBundles,
  writeSpiffeBundle,
} from './trust-bundle.js'
export { type VerifyOptions, verifySvid } from './verify.js'
export {
  createServerCertificate,
  createWorkloadCertificate,
  type Identity,
  type ServerCertificateOptions,
  type SignedChain,
  type WorkloadCertificate,
  type WorkloadCertificateOptions,
} from './workload-certificate.js'
export { type KeyUse, readX509, type X509View } from './x509.js'
