/** One byte in so many is looked at. */
const STRIDE = 7;
/** What has more than this share of bytes that no text has is none; one in nine is such a byte where they are random. */
const MOST = 0.05;

/** Bytes that text has in no charset: controls, but for white space, escapes and NUL, which UTF-16 is full of. */
const FOREIGN = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte > 0 && byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d) && byte !== 0x1b) || byte === 0x7f ? 1 : 0,
);

/** So many NULs and nothing else are no text: images of disks and archives are full of them. */
const FEWEST_NULS = 64;
const NULS = new Uint8Array(4096);

/** Whether bytes may be text that somebody reads, in whatever charset; told from a part of them. */
export function looksLikeText(bytes: Uint8Array): boolean {
  if (isNuls(bytes)) return false;
  let foreign = 0;
  for (let at = 0; at < bytes.length; at += STRIDE) foreign += FOREIGN[bytes[at] as number] as number;
  return foreign * STRIDE <= bytes.length * MOST;
}

function isNuls(bytes: Uint8Array): boolean {
  const { length } = bytes;
  if (length < FEWEST_NULS || length > NULS.length || bytes[0] !== 0) return false;
  return Buffer.compare(bytes, NULS.subarray(0, length)) === 0;
}
