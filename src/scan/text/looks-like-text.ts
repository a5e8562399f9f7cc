/** One byte in so many is looked at. */
const STRIDE = 7;
/** What has more than this share of bytes that no text has is none; one in nine is such a byte where they are random. */
const MOST = 0.05;

/** Bytes that text has in no charset: controls, but for white space, escapes and NUL, which UTF-16 is full of. */
const FOREIGN = Uint8Array.from({ length: 256 }, (_, byte) =>
  (byte > 0 && byte < 0x20 && !(byte >= 0x09 && byte <= 0x0d) && byte !== 0x1b) || byte === 0x7f ? 1 : 0,
);

/** Whether bytes may be text that somebody reads, in whatever charset; told from a part of them. */
export function looksLikeText(bytes: Uint8Array): boolean {
  let foreign = 0;
  for (let at = 0; at < bytes.length; at += STRIDE) foreign += FOREIGN[bytes[at] as number] as number;
  return foreign * STRIDE <= bytes.length * MOST;
}
