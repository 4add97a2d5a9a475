import { expect, test } from 'vitest'
import { identitiesFor } from './identity-choice.js'
import type { TlsMaterial } from './tls.js'

// Good for a hundred years, of keys that nobody has: `rsa.example` and `ec.example`, and both `both.example`.
const RSA = `-----BEGIN CERTIFICATE-----
MIICIDCCAYmgAwIBAgIUJSiy+zXOC9O1Z2uuCUeFi5d9AQUwDQYJKoZIhvcNAQEL
BQAwDjEMMAoGA1UEAwwDcnNhMCAXDTI2MTEyMjA5Mzk1MVoYDzIxMjYxMDI5MDkz
OTUxWjAOMQwwCgYDVQQDDANyc2EwgZ8wDQYJKoZIhvcNAQEBBQADgY0AMIGJAoGB
ALa7vcL6ox/STOdQ85n2CryxMwpFiIdx4oETxAqG+pomrh06O/5ts9SfHCkydCw/
esgSA5POtO3P/XRUmozMJRbnmehPEM7wsdDa+giL1T4oCX2NrcJ9ekIYQcB2X0Mv
3m/HFZ1EtlHZWsIgFk4Cz6KzppvxjWxdC4sOXgpF1lGNAgMBAAGjeTB3MB0GA1Ud
DgQWBBQJRSNfuFGzkF312XHpIpGC5eQkfTAfBgNVHSMEGDAWgBQJRSNfuFGzkF31
2XHpIpGC5eQkfTAPBgNVHRMBAf8EBTADAQH/MCQGA1UdEQQdMBuCC3JzYS5leGFt
cGxlggxib3RoLmV4YW1wbGUwDQYJKoZIhvcNAQELBQADgYEADOFSfbAJbDEYKHo/
DkzLDuRDGTqj+qamNNtGpoLTZekZFBynkREeKLGNgt3YDtcHRo6HK7/V0t7C5Oqj
to1pdjsjQJJ2GWhsyJYBQVUietcyIwQmWinnYwgkn/AjaDvzsjfp7VPOswDZSRxt
aV2orbpmYAMiyEvxKj21TDO69aE=
-----END CERTIFICATE-----
`
const EC = `-----BEGIN CERTIFICATE-----
MIIBljCCATygAwIBAgIUEKA1L7ZTaBFuVeweKLklXgPCwjMwCgYIKoZIzj0EAwIw
DTELMAkGA1UEAwwCZWMwIBcNMjYxMTIyMDkzOTUxWhgPMjEyNjEwMjkwOTM5NTFa
MA0xCzAJBgNVBAMMAmVjMFkwEwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEz5xOaIio
NYCYLLfdRqMnk8mmDJinYq3bVq3xz6lJzTo4gErzlNGX6Q+W3SkhO6qaIc+LzHRB
xL4HSnOfLfC1OqN4MHYwHQYDVR0OBBYEFJQ2WdV52xr87ytvpkeuFkl26THRMB8G
A1UdIwQYMBaAFJQ2WdV52xr87ytvpkeuFkl26THRMA8GA1UdEwEB/wQFMAMBAf8w
IwYDVR0RBBwwGoIKZWMuZXhhbXBsZYIMYm90aC5leGFtcGxlMAoGCCqGSM49BAMC
A0gAMEUCIQC3CjAthzgpfDJj+HsFQIp5zy9B8uW0MhwA3/q6ylZnEwIgZ8Qbbm5T
zMMXQeIbMiJSlObhgqZre6DgB4uPudHg5FQ=
-----END CERTIFICATE-----
`
const rsa = { certificateChain: RSA, privateKey: 'of RSA' }
const ec = { certificateChain: EC, privateKey: 'of EC' }
const other = { certificateChain: RSA, privateKey: 'of the other' }
const material: TlsMaterial = { ...rsa, others: [other, ec] }

test.each<[string, string | undefined, boolean, readonly object[]]>([
  ['its own name', 'ec.example', false, [ec]],
  ['a name of several: the first of each kind of key', 'both.example', false, [rsa, ec]],
  ['no name: any', undefined, false, [rsa, ec]],
  ['a name that none has: the first', 'nobody.example', false, [rsa]],
  ['a name that none has: any, by full_scan_certs_on_sni_mismatch', 'nobody.example', true, [rsa, ec]],
])('%s', (_, serverName, scansAll, offered) => {
  expect(identitiesFor(material, serverName, scansAll)).toEqual(offered)
})

test('one certificate is for everybody', () => {
  expect(identitiesFor(rsa, 'nobody.example')).toEqual([rsa])
  expect(identitiesFor({ trustBundle: RSA }, 'rsa.example')).toEqual([])
})
