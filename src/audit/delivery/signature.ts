import { createHmac, timingSafeEqual } from 'node:crypto';

/** Name of the header field that carries a signature. */
export const SIGNATURE_FIELD = 'Sallyport-Signature';

/**
 * What signs a request: `t=<seconds since 1970>,v1=<HMAC-SHA256 of "t.body" in hex>`. The time is under the signature, so that a
 * receiver can refuse an old request that somebody sends again.
 */
export function signatureOf(body: string, key: string, seconds: number): string {
  return `t=${seconds},v1=${macOf(body, key, String(seconds))}`;
}

/** Whether a signature is right and not older than `age` seconds: what a receiver does. */
export function isSigned(body: string, signature: string, key: string, now: number, age = 300): boolean {
  const match = /^t=(\d{1,12}),v1=([0-9a-f]{64})$/.exec(signature);
  if (match === null || Math.abs(now - Number(match[1])) > age) return false;
  return timingSafeEqual(Buffer.from(match[2] as string), Buffer.from(macOf(body, key, match[1] as string)));
}

function macOf(body: string, key: string, seconds: string): string {
  return createHmac('sha256', key).update(`${seconds}.${body}`).digest('hex');
}
