import type { Opening } from './engine.ts';

/** Looks through the bytes of one view for what no literal finds: what is encoded in them, numbers, phrases. */
export interface Reader {
  /** Traits (`TRAITS`): bytes that have none of these, and are all there is, need not be read. */
  readonly asks: number;
  /** New bytes stand at the indices [from, to) of the view. `final`: nothing follows them. */
  read(from: number, to: number, final: boolean): void;
  /** A literal came up that begins a container at this place of the view. */
  open?(opening: Opening, place: number): void;
  /** From this place of the view on it needs the bytes again; Infinity: from none. */
  readonly waiting: number;
  /** What `View.open` says of the views it feeds. */
  opened(soft: boolean): number;
  /** What comes next does not follow what came. Everything it had open has ended. */
  restart(): void;
}
