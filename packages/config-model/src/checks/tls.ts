import { into, refuse, type Site, warn } from '../decode/site.js'
import type { ClientTLSSettings, ServerTLSSettings } from '../kinds/common.js'
import { CODE } from './code.js'

const CIPHERS: ReadonlySet<string> = new Set([
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
  'ECDHE-ECDSA-AES128-SHA',
  'ECDHE-RSA-AES128-SHA',
  'ECDHE-ECDSA-AES256-SHA',
  'ECDHE-RSA-AES256-SHA',
  'AES128-GCM-SHA256',
  'AES256-GCM-SHA384',
  'AES128-SHA',
  'AES256-SHA',
  'DES-CBC3-SHA',
])

const set = (text: string | undefined): boolean => text !== undefined && text !== ''

/** TLS of a client. */
export function checkClientTls(tls: ClientTLSSettings | undefined, site: Site): void {
  if (tls === undefined) return
  const at = into(site, 'tls')
  const { mode } = tls
  if (tls.insecureSkipVerify === true && (mode === 'SIMPLE' || mode === 'MUTUAL')) {
    const credential = mode === 'SIMPLE' && set(tls.credentialName)
    if (set(tls.caCertificates) || credential || (tls.subjectAltNames ?? []).length > 0) {
      refuse(
        at,
        CODE.conflict,
        'caCertificates, credentialName and subjectAltNames mean nothing when insecureSkipVerify is true: remove them',
      )
    }
  }
  if ((mode === 'SIMPLE' || mode === 'MUTUAL') && set(tls.credentialName)) {
    if (set(tls.clientCertificate) || set(tls.caCertificates) || set(tls.privateKey) || set(tls.caCrl)) {
      refuse(at, CODE.conflict, 'cannot specify client certificates, CA certificates or a CRL when credentialName is set')
    }
    return
  }
  if (mode !== 'MUTUAL') return
  if (!set(tls.clientCertificate))
    refuse(into(at, 'clientCertificate'), CODE.required, 'client certificate required for mutual tls')
  if (!set(tls.privateKey)) refuse(into(at, 'privateKey'), CODE.required, 'private key required for mutual tls')
}

/** TLS of a server; `at` is its own place. */
export function checkServerTls(tls: ServerTLSSettings | undefined, at: Site): void {
  if (tls === undefined) return
  checkCiphers(tls, at)
  if (tls.mode === 'ISTIO_MUTUAL') {
    checkIstioMutual(tls, at)
    return
  }
  if (tls.mode === 'PASSTHROUGH' || tls.mode === 'AUTO_PASSTHROUGH') {
    if ([tls.caCrl, tls.serverCertificate, tls.privateKey, tls.caCertificates, tls.credentialName].some(set)) {
      warn(at, CODE.noEffect, `${tls.mode} mode does not use certificates, they will be ignored`)
    }
    return
  }
  checkCertificates(tls, at)
}

function checkCiphers(tls: ServerTLSSettings, at: Site): void {
  const suites = tls.cipherSuites ?? []
  if ((tls.minProtocolVersion === 'TLSV1_0' || tls.minProtocolVersion === 'TLSV1_1') && suites.length === 0) {
    warn(
      at,
      CODE.invalid,
      'TLS version below TLSV1_2 require setting compatible ciphers as by default they no longer include compatible ciphers.',
    )
  }
  const seen = new Set<string>()
  suites.forEach((suite, i) => {
    const place = into(into(at, 'cipherSuites'), i)
    if (suite !== '' && suite !== 'ALL' && /^[A-Za-z0-9]/.test(suite) && !CIPHERS.has(suite))
      warn(place, CODE.invalid, `ignoring invalid cipher suites: ${suite}`)
    else if (seen.has(suite)) warn(place, CODE.duplicate, `ignoring duplicate cipher suites: ${suite}`)
    seen.add(suite)
  })
}

function checkIstioMutual(tls: ServerTLSSettings, at: Site): void {
  const fields = {
    serverCertificate: 'server certificate',
    privateKey: 'private key',
    caCertificates: 'CA bundle',
    credentialName: 'credentialName',
  } as const
  for (const [field, name] of Object.entries(fields) as [keyof typeof fields, string][]) {
    if (set(tls[field])) refuse(into(at, field), CODE.conflict, `ISTIO_MUTUAL TLS cannot have associated ${name}`)
  }
}

function checkCertificates(tls: ServerTLSSettings, at: Site): void {
  const names = tls.credentialNames ?? []
  const pairs = tls.tlsCertificates ?? []
  const ways = [
    set(tls.credentialName),
    names.length > 0,
    pairs.length > 0,
    set(tls.serverCertificate) || set(tls.privateKey),
  ].filter(Boolean)
  if (ways.length > 1) {
    refuse(
      at,
      CODE.conflict,
      'only one of credentialName, credentialNames, tlsCertificates and serverCertificate with privateKey may be set',
    )
  }
  if (names.length > 2) refuse(into(at, 'credentialNames'), CODE.range, 'at most two credentialNames: one RSA, one ECDSA')
  if (pairs.length > 2) refuse(into(at, 'tlsCertificates'), CODE.range, 'at most two tlsCertificates: one RSA, one ECDSA')
  if (set(tls.caCrl) && (set(tls.credentialName) || names.length > 0)) {
    refuse(
      into(at, 'caCrl'),
      CODE.conflict,
      'CRL is not supported with credentialName. CRL has to be specified in the credential',
    )
  }
  if (set(tls.caCrl) && tls.mode === 'SIMPLE') refuse(into(at, 'caCrl'), CODE.conflict, 'CRL is not supported with SIMPLE TLS')
  if (set(tls.credentialName) || names.length > 0) return
  pairs.forEach((pair, i) => {
    checkPair(pair, into(into(at, 'tlsCertificates'), i), tls.mode)
  })
  if (pairs.length === 0) checkPair(tls, at, tls.mode)
  if (tls.mode !== 'SIMPLE' && !set(tls.caCertificates) && !set(tls.caCertCredentialName)) {
    refuse(into(at, 'caCertificates'), CODE.required, `${tls.mode} TLS requires a client CA bundle`)
  }
}

function checkPair(pair: { serverCertificate?: string; privateKey?: string }, at: Site, mode: string): void {
  if (!set(pair.serverCertificate))
    refuse(into(at, 'serverCertificate'), CODE.required, `${mode} TLS requires a server certificate`)
  if (!set(pair.privateKey)) refuse(into(at, 'privateKey'), CODE.required, `${mode} TLS requires a private key`)
}
