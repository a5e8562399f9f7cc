import { REGISTERED } from './bits';
import { begin, noted } from './traits';
import { count, pendingIn, reset } from './literals';
import { closer } from './closer';
import { read } from './read';
import { RESULT } from './memory';
import { OVERLAP, meets } from './sought';

/*
 * The scanner's inner loop: one pass over some bytes that finds where literals stand in them and notes the traits of every
 * eight of them, sixteen bytes at a time. Written in AssemblyScript, compiled by `npm run kernel` into
 * src/scan/kernel-bytes.ts. It decides nothing on its own, allocates nothing, and calls nobody.
 */

export {
  FILTER,
  FIRST_OF,
  FOLD,
  KINDS,
  LAYOUT,
  LIST,
  LIST_OF,
  REST,
  RESULT,
  SHORT_OF,
  VECTORS,
  layout,
} from './memory';
export { tells } from './read';
export { tellsBase64 } from './runs';
export { seek } from './sought';
export { strings } from './strings';

/**
 * Reads [from, to) of the stage. Literals may begin from `first` on; hits end behind `from`. `base`: added to the ends of hits.
 * `final`: no more bytes follow. The 32 bytes behind `to` are written over.
 */
export function pass(first: i32, from: i32, to: i32, base: i32, final: bool): void {
  begin();
  reset();
  read(first, from, to, base, true);
  store<i32>(RESULT, count);
  store<i32>(RESULT, final ? 0 : pendingIn(first, to), 4);
  store<i32>(RESULT, noted(from, to) | (meets(max(0, from - OVERLAP), to) ? REGISTERED : 0), 8);
}

/**
 * Reads [0, to) of the stage, no more than WHOLE bytes, which are all there is, and looks closer at their traits. `runs`: also
 * at those that may be encoded, where nothing else is sought in them than literals, text, and values.
 */
export function whole(to: i32, runs: bool): void {
  pass(0, 0, to, 0, true);
  store<i32>(RESULT, closer(load<i32>(RESULT, 8), to, runs), 8);
}
