export { type CertificateClient, type CertificateClientOptions, createCertificateClient } from './client.js'
export { CERTIFICATE_SERVICE } from './definition.js'
export { type CertificateService, type CertificateServiceOptions, createCertificateService } from './service.js'
