import forge from 'node-forge';
import { AuthorityError } from './authority.ts';

/** Certificate chain and key of a PKCS#12 file, as PEM. RSA keys only: that is what node-forge reads and PKIs hand out. */
export function readPkcs12(bytes: Buffer, password: string): { certificatePem: string; keyPem: string } {
  const store = open(bytes, password);
  const keys = bags(store, forge.pki.oids['pkcs8ShroudedKeyBag'] ?? '').concat(
    bags(store, forge.pki.oids['keyBag'] ?? ''),
  );
  const key = keys[0]?.key;
  if (key == null)
    throw new AuthorityError('the PKCS#12 file holds no RSA private key; export ECDSA keys as PEM and import those');
  const certificates = bags(store, forge.pki.oids['certBag'] ?? '').flatMap((bag) =>
    bag.cert === undefined ? [] : [bag.cert],
  );
  const own = certificates.find((certificate) => matches(certificate, key as forge.pki.rsa.PrivateKey));
  if (own === undefined) throw new AuthorityError('the PKCS#12 file holds no certificate for its key');
  const chain = [own, ...certificates.filter((certificate) => certificate !== own)];
  const keyPem = forge.pki.privateKeyInfoToPem(forge.pki.wrapRsaPrivateKey(forge.pki.privateKeyToAsn1(key)));
  return { certificatePem: chain.map((certificate) => forge.pki.certificateToPem(certificate)).join(''), keyPem };
}

function open(bytes: Buffer, password: string): forge.pkcs12.Pkcs12Pfx {
  try {
    return forge.pkcs12.pkcs12FromAsn1(forge.asn1.fromDer(bytes.toString('binary')), password);
  } catch (error) {
    const wrongPassword = /password|MAC/i.test((error as Error).message);
    throw new AuthorityError(
      wrongPassword
        ? 'the PKCS#12 file cannot be opened: wrong password'
        : 'the file is not a PKCS#12 file that can be read',
    );
  }
}

function bags(store: forge.pkcs12.Pkcs12Pfx, bagType: string): forge.pkcs12.Bag[] {
  return store.getBags({ bagType })[bagType] ?? [];
}

function matches(certificate: forge.pki.Certificate, key: forge.pki.rsa.PrivateKey): boolean {
  const publicKey = certificate.publicKey as forge.pki.rsa.PublicKey;
  return publicKey.n !== undefined && publicKey.n.equals(key.n);
}
