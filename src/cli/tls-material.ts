import type { TlsMaterial } from '../client/index.ts';

/** Throws Error with Docker's words if certificates are none, or a key belongs to another one (docker/cli context/docker load.go). */
export function checkTls(tls: TlsMaterial): void {
  const { createSecureContext } = process.getBuiltinModule('node:tls');
  const refuse = (why: string): never => {
    throw new Error(`failed to retrieve context tls info: ${why}`);
  };
  if (tls.ca) {
    // A bundle without any certificate is no error to Node, which then trusts nobody.
    if (!/-----BEGIN CERTIFICATE-----/.test(tls.ca.toString())) refuse('ca.pem seems invalid');
    try {
      createSecureContext({ ca: tls.ca });
    } catch {
      refuse('ca.pem seems invalid');
    }
  }
  if (!tls.cert || !tls.key) return;
  if (!/-----BEGIN /.test(tls.cert.toString())) refuse('tls: failed to find any PEM data in certificate input');
  if (!/-----BEGIN /.test(tls.key.toString())) refuse('tls: failed to find any PEM data in key input');
  try {
    createSecureContext({ cert: tls.cert, key: tls.key });
  } catch (error) {
    const mismatch = (error as NodeJS.ErrnoException).code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH';
    refuse(mismatch ? 'tls: private key does not match public key' : `tls: ${(error as Error).message}`);
  }
}
