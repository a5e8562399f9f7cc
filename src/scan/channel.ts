import { entropyOf } from './plausible.ts';

/** Milliseconds of which is remembered what stood in names. */
const WINDOW = 3_600_000;
/** Domains and places in paths that are watched in one session, each up to what is too much. */
const CHANNELS = 16;
/** Different values that are remembered of one. */
const VALUES = 4096;
/** The shortest value that looks as if it were made of something else, and its least entropy in bits a character. */
const SHORTEST = 12;
const LEAST_ENTROPY = 2.9;

/** What was seen of one channel. */
interface Channel {
  readonly values: Map<string, number>;
  /** Characters of them within the window. */
  size: number;
}

/**
 * Watches names that whoever reads them may have chosen to be told something by: labels of hosts, segments of paths and
 * values of queries where a rule grants any host of a domain. One value says little; many different ones say a lot.
 */
export class ChannelWatch {
  readonly #channels = new Map<string, Channel>();

  /**
   * Notes a value; true where those of the last hour together become longer than `most` characters. `now`:
   * milliseconds.
   */
  note(name: string, value: string, most: number, now: number): boolean {
    if (!looksEncoded(value)) return false;
    const channel = this.#channel(name);
    const { values } = channel;
    for (const [old, at] of values) {
      if (at > now - WINDOW && values.size < VALUES) break;
      values.delete(old);
      channel.size -= old.length;
    }
    // What is too much already need not be counted.
    if (values.has(value) || channel.size > most) return false;
    values.set(value, now);
    channel.size += value.length;
    return channel.size > most;
  }

  #channel(name: string): Channel {
    const channel = this.#channels.get(name) ?? { values: new Map<string, number>(), size: 0 };
    this.#channels.delete(name);
    this.#channels.set(name, channel);
    if (this.#channels.size > CHANNELS) this.#channels.delete(this.#channels.keys().next().value as string);
    return channel;
  }
}

/** Words, dates and small numbers are names; long values with letters and digits in disorder are more. */
function looksEncoded(value: string): boolean {
  if (value.length < SHORTEST) return false;
  const mixed = /[0-9]/.test(value) && /[A-Za-z]/.test(value);
  return (
    (mixed || value.length >= 2 * SHORTEST) && !/^[a-z]+(?:-[a-z]+)*$/i.test(value) && entropyOf(value) >= LEAST_ENTROPY
  );
}
