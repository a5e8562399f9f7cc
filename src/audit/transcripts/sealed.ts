import { Zstd } from '@hpcc-js/wasm-zstd';
import { Decrypter, Encrypter, generateX25519Identity, identityToRecipient } from 'age-encryption';

/** Compresses bytes (Zstandard) and encrypts them (age) to keys whose other halves the gate does not have. */
export class Sealer {
  readonly #encrypter: Encrypter;
  readonly #zstd: Zstd;

  private constructor(encrypter: Encrypter, zstd: Zstd) {
    this.#encrypter = encrypter;
    this.#zstd = zstd;
  }

  /** Throws an Error with one line for a recipient that is none. */
  static async open(recipients: readonly string[]): Promise<Sealer> {
    return new Sealer(encrypterTo(recipients), await Zstd.load());
  }

  seal(bytes: Uint8Array): Promise<Uint8Array> {
    return this.#encrypter.encrypt(this.#zstd.compress(bytes));
  }
}

/** Throws an Error with one line for a recipient that is none. */
export function encrypterTo(recipients: readonly string[]): Encrypter {
  const encrypter = new Encrypter();
  for (const recipient of recipients) {
    try {
      encrypter.addRecipient(recipient);
    } catch (error) {
      throw new Error(`"${recipient}" is no age recipient: it was not copied whole, or mistyped`, { cause: error });
    }
  }
  return encrypter;
}

/** Undoes the encryption. `identities`: secret keys, `AGE-SECRET-KEY-1…`. Throws an Error with one line. */
export class Opener {
  readonly #decrypter: Decrypter;
  readonly #zstd: Zstd;

  private constructor(decrypter: Decrypter, zstd: Zstd) {
    this.#decrypter = decrypter;
    this.#zstd = zstd;
  }

  static async open(identities: readonly string[]): Promise<Opener> {
    const decrypter = new Decrypter();
    for (const identity of identities) {
      try {
        decrypter.addIdentity(identity);
      } catch (error) {
        throw new Error('an identity is not one of age: AGE-SECRET-KEY-1…', { cause: error });
      }
    }
    return new Opener(decrypter, await Zstd.load());
  }

  /** What was sealed. */
  async unseal(sealed: Uint8Array): Promise<Uint8Array> {
    let compressed: Uint8Array;
    try {
      compressed = await this.#decrypter.decrypt(sealed);
    } catch (error) {
      throw new Error('it is not encrypted to any of these identities', { cause: error });
    }
    return this.#zstd.decompress(compressed);
  }
}

/** A new key pair: the identity reads, the recipient is what the gate is told. */
export async function makeIdentity(): Promise<{ readonly identity: string; readonly recipient: string }> {
  const identity = await generateX25519Identity();
  return { identity, recipient: await identityToRecipient(identity) };
}
