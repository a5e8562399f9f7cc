import { describe, expect, it } from 'vitest';
import { parseMultipart } from '../../../../src/policy/content/multipart.ts';

const parse = (text: string, boundary = 'B') => parseMultipart(Buffer.from(text, 'latin1'), boundary);
const field = (name: string, value: string): string =>
  `--B\r\nContent-Disposition: form-data; name="${name}"\r\n\r\n${value}\r\n`;

describe('parseMultipart()', () => {
  it('reads fields and files', () => {
    const parts = parse(
      `${field('a', '1')}--B\r\ncontent-disposition: form-data; name="f"; filename="x.png"\r\nContent-Type: Image/PNG; x=y\r\n\r\n\x89PNG\r\n\r\n--\r\n--B--\r\n`,
    );
    expect(parts?.map(({ name, filename, type, bytes }) => [name, filename, type, bytes.toString('latin1')])).toEqual([
      ['a', null, null, '1'],
      ['f', 'x.png', 'image/png', '\x89PNG\r\n\r\n--'],
    ]);
  });

  it('reads a form without parts, and what FormData of Node writes', async () => {
    expect(parse('--B--')).toEqual([]);
    const form = new FormData();
    form.set('a', 'x\r\ny');
    form.set('file', new File(['bytes'], 'n.txt', { type: 'text/plain' }));
    const response = new Response(form);
    const boundary = /boundary=(.*)$/.exec(response.headers.get('content-type') ?? '')?.[1] ?? '';
    const parts = parseMultipart(Buffer.from(await response.arrayBuffer()), boundary);
    expect(parts?.map(({ name, filename, type }) => [name, filename, type])).toEqual([
      ['a', null, null],
      ['file', 'n.txt', 'text/plain'],
    ]);
  });

  it.each([
    ['a preamble', `hello\r\n${field('a', '1')}--B--`],
    ['an epilogue', `${field('a', '1')}--B--\r\nmore`],
    ['no end', field('a', '1')],
    ['bare line feeds', field('a', '1').replaceAll('\r\n', '\n') + '--B--'],
    ['a name without quotes', '--B\r\nContent-Disposition: form-data; name=a\r\n\r\n1\r\n--B--'],
    ['two names', '--B\r\nContent-Disposition: form-data; name="a"; name="b"\r\n\r\n1\r\n--B--'],
    ['an escaped name', '--B\r\nContent-Disposition: form-data; name="a\\"b"\r\n\r\n1\r\n--B--'],
    ['filename*', `--B\r\nContent-Disposition: form-data; name="a"; filename*=utf-8''x\r\n\r\n1\r\n--B--`],
    [
      'two dispositions',
      `--B\r\nContent-Disposition: form-data; name="a"\r\nContent-Disposition: form-data; name="b"\r\n\r\n1\r\n--B--`,
    ],
    ['no disposition', '--B\r\nContent-Type: text/plain\r\n\r\n1\r\n--B--'],
    [
      'a transfer encoding',
      '--B\r\nContent-Disposition: form-data; name="a"\r\nContent-Transfer-Encoding: base64\r\n\r\nMQ==\r\n--B--',
    ],
    ['a longer boundary inside', '--B\r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--BB\r\n\r\n--B--'],
    ['white space behind a boundary', '--B \r\nContent-Disposition: form-data; name="a"\r\n\r\n1\r\n--B--'],
    ['a folded header', '--B\r\nContent-Disposition: form-data;\r\n name="a"\r\n\r\n1\r\n--B--'],
    ['a header that is none', '--B\r\nContent-Disposition form-data; name="a"\r\n\r\n1\r\n--B--'],
    ['nothing', ''],
  ])('has no reading of %s', (_name, text) => {
    expect(parse(text)).toBeNull();
  });

  it('takes no odd boundary', () => {
    expect(parse('--\r\n--', '')).toBeNull();
    expect(parse('--a b--', 'a b')).toBeNull();
  });
});
