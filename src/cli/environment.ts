import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { X509Certificate } from 'node:crypto';
import { rootCertificates } from 'node:tls';
import { javaTrustStore } from '../tls/java-trust-store.ts';

/** What an agent's environment is made from. */
export interface Way {
  /** `http://[agent:token@]host:port`. */
  readonly proxyUrl: string;
  /** The gate's CA certificate: for variables that add to the roots. */
  readonly caFile: string;
  /** CA certificate and system roots: for variables that replace the roots. */
  readonly bundleFile: string;
  /** The same for Java, which reads no PEM. */
  readonly javaTrustFile: string;
}

/** The variables that bring common clients to the gate and make them trust it (WIRE.md §6). */
export function agentEnvironment(way: Way): Record<string, string> {
  const { proxyUrl, caFile, bundleFile, javaTrustFile } = way;
  const url = new URL(proxyUrl);
  const both = (name: string, value: string): Record<string, string> => ({
    [name]: value,
    [name.toLowerCase()]: value,
  });
  const java = ['https', 'http'].map(
    (scheme) => `-D${scheme}.proxyHost=${url.hostname} -D${scheme}.proxyPort=${url.port}`,
  );
  return {
    ...both('HTTP_PROXY', proxyUrl),
    ...both('HTTPS_PROXY', proxyUrl),
    ...both('ALL_PROXY', proxyUrl),
    ...both('NO_PROXY', ''),
    GRPC_PROXY: proxyUrl,
    grpc_proxy: proxyUrl,
    NODE_USE_ENV_PROXY: '1',
    NODE_EXTRA_CA_CERTS: caFile,
    DENO_CERT: caFile,
    SSL_CERT_FILE: bundleFile,
    CURL_CA_BUNDLE: bundleFile,
    REQUESTS_CA_BUNDLE: bundleFile,
    PIP_CERT: bundleFile,
    GIT_SSL_CAINFO: bundleFile,
    AWS_CA_BUNDLE: bundleFile,
    CARGO_HTTP_CAINFO: bundleFile,
    NPM_CONFIG_CAFILE: bundleFile,
    CLOUDSDK_CORE_CUSTOM_CA_CERTS_FILE: bundleFile,
    GRPC_DEFAULT_SSL_ROOTS_FILE_PATH: bundleFile,
    // Quoted as a whole where a folder's name holds a space: HotSpot takes its options apart at those.
    JAVA_TOOL_OPTIONS: `${java.join(' ')} -Dhttp.nonProxyHosts= -Djdk.http.auth.tunneling.disabledSchemes= -Djavax.net.ssl.trustStoreType=jks ${quoted(`-Djavax.net.ssl.trustStore=${javaTrustFile}`)}`,
  };
}

function quoted(option: string): string {
  return /\s/.test(option) ? `"${option}"` : option;
}

/** Writes CA certificate and public roots beside the CA, as PEM and for Java, for clients whose variables replace the roots. */
export function writeTrust(folder: string, caFile: string): Pick<Way, 'bundleFile' | 'javaTrustFile'> {
  const bundleFile = join(folder, 'ca-bundle.crt');
  const text = `${readFileSync(caFile, 'utf8')}${rootCertificates.join('\n')}\n`;
  writeFileSync(bundleFile, text, { mode: 0o644 });
  const javaTrustFile = join(folder, 'ca-bundle.jks');
  const certificates = text.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? [];
  const roots = certificates.map((pem) => new X509Certificate(pem).raw);
  writeFileSync(javaTrustFile, javaTrustStore(roots, new Date()), { mode: 0o644 });
  return { bundleFile, javaTrustFile };
}
