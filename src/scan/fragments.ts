/** A part of what a request carries that may be a part of something larger. */
export interface Fragment {
  /** Where in a request it stands: what stands at the same place in the next may go on with it. */
  readonly slot: string;
  readonly text: string;
}

/** Parts of one request that are looked at. */
const MOST = 64;
/** Shorter ones say too little. */
const SHORTEST = 3;
/** Nothing that has spaces in it: sentences are not cut up secrets. */
const TOKEN = /^[\w+/=.~%:@-]+$/;
/** Larger bodies are scanned as they are, and no part of them is kept. */
const LONGEST_BODY = 16 * 1024;
/** A text body that is nothing but a token. */
const LONGEST_TEXT = 2 * 1024;
/** Labels of a host that its owner chose, and that say where to find it. */
const DOMAIN = 2;
/** A name or value of JSON: what stands before a colon is a name. */
const STRING = /"((?:[^"\\]|\\.){0,4096})"(\s{0,8}:)?/g;

/** The labels of a host before its domain, joined: whoever owns the domain may read anything in them. */
export function hostFragment(host: string): string {
  return /[a-z]/.test(host) ? host.split('.').slice(0, -DOMAIN).join('') : '';
}

/** The parts of a path, a query and a body of which a secret could be made over several requests. */
export function fragmentsOf(host: string, target: string, body: Buffer | null, form: BodyForm): readonly Fragment[] {
  const question = target.indexOf('?');
  const path = question === -1 ? target : target.slice(0, question);
  const fragments: Fragment[] = [];
  const add = (slot: string, text: string): void => {
    if (fragments.length < MOST && text.length >= SHORTEST && TOKEN.test(text)) fragments.push({ slot, text });
  };
  add('host', hostFragment(host));
  if (path.length > 1) path.split('/').forEach((segment, index) => add(`path ${index}`, segment));
  if (question !== -1) addPairs('query', target.slice(question + 1), add);
  if (body !== null && body.length > 0 && body.length <= LONGEST_BODY) addBody(body, form, add);
  return fragments;
}

export type BodyForm = 'json' | 'form' | 'other';

type Add = (slot: string, text: string) => void;

function addPairs(slot: string, pairs: string, add: Add): void {
  for (const pair of pairs.split('&')) {
    const equals = pair.indexOf('=');
    add(`${slot} ${pair.slice(0, Math.max(equals, 0))}`, pair.slice(equals + 1));
  }
}

function addBody(body: Buffer, form: BodyForm, add: Add): void {
  const text = body.toString('latin1');
  if (form === 'form') addPairs('field', text, add);
  else if (form === 'json') {
    let name = '';
    for (const [, string = '', colon] of text.matchAll(STRING)) {
      if (colon === undefined) add(`member ${name}`, string);
      else name = string.slice(0, 64);
    }
  } else if (text.length <= LONGEST_TEXT) add('text', text.trim());
}
