import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Opener } from '../audit/transcripts/sealed.ts';
import type { SaidBody, SaidExchange, SaidMessage } from '../audit/transcripts/sheet.ts';
import { errorCode } from '../model/error-code.ts';
import { contentCodings, decodeContent } from '../scan/content-decoder.ts';
import { CommandError } from './exit.ts';

/** Bytes a body may decode to, to be shown. */
const MOST = 256 * 1024 * 1024;

/** Reads transcripts with the identities of whoever may. */
export class TranscriptReader {
  readonly #folder: string;
  readonly #opener: Opener;

  private constructor(folder: string, opener: Opener) {
    this.#folder = folder;
    this.#opener = opener;
  }

  /** `files`: identities of age, as age-keygen and "sallyport audit identity" write them. Throws CommandError. */
  static async open(state: string, files: readonly string[]): Promise<TranscriptReader> {
    // What decrypts takes longer to load than most commands run.
    const { Opener: Loaded } = await import('../audit/transcripts/sealed.ts');
    try {
      return new TranscriptReader(join(state, 'transcripts'), await Loaded.open(files.flatMap(identitiesIn)));
    } catch (error) {
      throw error instanceof CommandError ? error : new CommandError((error as Error).message);
    }
  }

  /** What was said, the codings of its bodies undone. Throws CommandError. */
  async read(objects: readonly string[]): Promise<SaidExchange> {
    const { readSheet } = await import('../audit/transcripts/sheet.ts');
    const { readObject } = await import('../audit/transcripts/sinks/object-files.ts');
    const fetch = async (object: string): Promise<Uint8Array> => this.#opener.unseal(readObject(this.#folder, object));
    const [sheet = ''] = objects;
    try {
      const said = await readSheet(Buffer.from(await fetch(sheet)).toString('utf8'), fetch);
      const { request, response } = said;
      return { ...said, request: await plain(request), response: response === null ? null : await plain(response) };
    } catch (error) {
      throw new CommandError(`the transcript cannot be read: ${(error as Error).message}`);
    }
  }
}

function identitiesIn(file: string): string[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    throw new CommandError(`${file} cannot be read: ${errorCode(error)}`);
  }
  const identities = text.split(/\r?\n/).filter((line) => line !== '' && !line.startsWith('#'));
  if (identities.length === 0) throw new CommandError(`${file} holds no identity`);
  return identities;
}

/** The message with its content codings undone, where that can be. */
async function plain(message: SaidMessage): Promise<SaidMessage> {
  const { body, head } = message;
  const codings = contentCodings(
    [...head.matchAll(/^content-encoding: ?(.*)$/gim)].map(([, value = '']) => value.trim()),
  );
  const isDecoded = body.note?.includes('content coding undone') === true;
  if (codings === null || codings.length === 0 || isDecoded || body.bytes.length === 0) return message;
  try {
    return { head, body: { ...body, bytes: await decodeContent([Buffer.from(body.bytes)], codings, MOST) } };
  } catch {
    const note = [body.note, `still under its content coding (${codings.join(', ')})`].filter((each) => each !== null);
    return { head, body: { ...body, note: note.join(', ') } };
  }
}

/** A conversation for people: heads, and bodies as text where they are text. Nothing in it moves their cursor. */
export function conversationText({ request, response }: SaidExchange, safe: (text: string) => string): string {
  const lines = (text: string): string => text.split(/\r?\n/).map(safe).join('\n');
  const message = (mark: string, { head, body }: SaidMessage): string =>
    `${mark} ${lines(head)}\n\n${[noteOf(body), bodyText(body, lines)].filter((part) => part !== '').join('\n')}`;
  return [message('>', request), ...(response === null ? [] : [message('<', response)])].join('\n\n');
}

function noteOf({ size, note }: SaidBody): string {
  if (size === 0) return '';
  return `[${size} bytes${note === null ? '' : `; ${note}`}]`;
}

function bodyText({ bytes }: SaidBody, lines: (text: string) => string): string {
  try {
    return lines(new TextDecoder('utf-8', { fatal: true }).decode(bytes));
  } catch {
    return `[not text; in Base64:]\n${Buffer.from(bytes).toString('base64')}`;
  }
}
