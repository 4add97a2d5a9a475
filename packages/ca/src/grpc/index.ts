export { type CertificateClient, type CertificateClientOptions, createCertificateClient } from './client.js'
export { CERTIFICATE_SERVICE } from './definition.js'
export { createServerCredentials, type ServerCredentialsOptions } from './server-credentials.js'
export { type CertificateService, type CertificateServiceOptions, createCertificateService } from './service.js'
