/** A body as far as it is kept. */
export interface SaidBody {
  readonly bytes: Uint8Array;
  /** Bytes it had in all. */
  readonly size: number;
  /** Why this is not all of it, or not what was said; null: it is. */
  readonly note: string | null;
}

/** What one side said: start line and header fields as lines, and a body. */
export interface SaidMessage {
  readonly head: string;
  readonly body: SaidBody;
}

/** What was said in one exchange. */
export interface SaidExchange {
  readonly exchange: string;
  readonly request: SaidMessage;
  /** Null: nothing came back. */
  readonly response: SaidMessage | null;
}

/** A body as it stands in a sheet: itself, or the file it is in. */
export interface SheetBody {
  readonly base64?: string;
  readonly note?: string;
  readonly object?: string;
  readonly size: number;
}

/** A sheet: one exchange, as it is kept. */
export interface Sheet {
  readonly exchange: string;
  readonly request: { readonly body: SheetBody; readonly head: string };
  readonly response: { readonly body: SheetBody; readonly head: string } | null;
  readonly version: 1;
}

/** Bodies up to this size stand in the sheet; larger ones in files of their own, which exchanges share. */
const SMALL = 4096;

/** Writes a sheet; `place` keeps a body and says where. */
export async function makeSheet(said: SaidExchange, place: (bytes: Uint8Array) => Promise<string>): Promise<Sheet> {
  const { exchange, request, response } = said;
  return {
    version: 1,
    exchange,
    request: await makeMessage(request, place),
    response: response === null ? null : await makeMessage(response, place),
  };
}

async function makeMessage(
  { head, body: { bytes, size, note } }: SaidMessage,
  place: (bytes: Uint8Array) => Promise<string>,
): Promise<Sheet['request']> {
  const what =
    bytes.length <= SMALL ? { base64: Buffer.from(bytes).toString('base64') } : { object: await place(bytes) };
  return { head, body: { ...what, size, ...(note === null ? {} : { note }) } };
}

/** Reads a sheet; `fetch` brings a body from its file. Throws an Error with one line for what is no sheet. */
export async function readSheet(text: string, fetch: (object: string) => Promise<Uint8Array>): Promise<SaidExchange> {
  const sheet = JSON.parse(text) as Sheet;
  if (sheet.version !== 1) throw new Error('a transcript of another version');
  const message = async ({ head, body }: Sheet['request']): Promise<SaidMessage> => ({
    head,
    body: {
      bytes: body.object === undefined ? Buffer.from(body.base64 ?? '', 'base64') : await fetch(body.object),
      size: body.size,
      note: body.note ?? null,
    },
  });
  const { exchange, request, response } = sheet;
  return { exchange, request: await message(request), response: response === null ? null : await message(response) };
}
