import { note } from './traits';
import { candidates, compareAll, compareAt, count, restore } from './literals';
import { holdsText } from './text';
import { stage } from './memory';
import { meets } from './sought';

/** Finds literals in [from, to) of the stage and, where they are asked for, traits. The 32 bytes behind `to` are written over. */
export function read(first: i32, from: i32, to: i32, base: i32, notes: bool): void {
  clear(to);
  const half = i8x16.splat(0x0f);
  for (let at: i32 = 0; at < to; at += 16) {
    const place = stage + at;
    const bytes = v128.load(place);
    const behind = v128.load(place, 1);
    const low = v128.and(bytes, half);
    const high = v128.and(i16x8.shr_u(bytes, 4), half);
    const found = candidates(place, bytes, behind, low, high);
    if (found != 0) compareAt(found, at, first, from, to, base);
    if (notes) note(at, to - at, bytes, behind, low, high);
  }
  // What follows the last bytes is not known: no filter is asked.
  for (let at = max(first, to - 4); at < to; at++) compareAll(at, from, to, base);
}

/**
 * Whether anything may be found in [0, to) of the stage: a literal, a part of a value that is sought, or text. The 32 bytes behind `to` are written over. Hits that were there stay.
 */
export function tells(to: i32): bool {
  clear(to);
  if (holdsText(to) || meets(0, to)) return true;
  const before = count;
  read(0, 0, to, 0, false);
  const is = count > before;
  restore(before);
  return is;
}

/** Spaces, which have no trait and go on with no character. */
function clear(to: i32): void {
  v128.store(stage + to, i8x16.splat(0x20));
  v128.store(stage + to, i8x16.splat(0x20), 16);
}
