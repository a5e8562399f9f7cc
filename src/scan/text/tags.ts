/** Elements of HTML that begin a new passage. */
const BLOCKS = new Set(
  'address article aside br body caption center dd details dialog div dl dt fieldset figcaption figure footer form h1 h2 h3 h4 h5 h6 head header hr html legend li main menu nav ol option p section select summary table tbody td template tfoot th thead title tr ul iframe button input textarea noscript'.split(
    ' ',
  ),
);
/** Elements that run on within a line. */
const INLINE = new Set(
  'a abbr acronym area audio b base bdi bdo big canvas cite col colgroup data datalist del dfn em embed font i img ins label link map mark meta meter nobr object optgroup output param picture progress rb rp rt ruby s script slot small source span strike strong style sub sup svg path g time track tt u video wbr'.split(
    ' ',
  ),
);
/** Elements whose text is somebody else's, or an example. */
const QUOTES = new Set(['code', 'pre', 'blockquote', 'q', 'samp', 'kbd', 'var', 'xmp']);
const VOID = new Set('area base br col embed hr img input link meta param source track wbr'.split(' '));
/** Elements whose content is no markup. */
export const RAW = new Set(['script', 'style', 'textarea', 'title']);

/** How people hide text from people. */
const HIDING =
  /display\s*:\s*none|visibility\s*:\s*hidden|font-size\s*:\s*0|opacity\s*:\s*0(?![.\d])|(?:left|top|text-indent)\s*:\s*-\d{3}|[^-]color\s*:\s*(?:white|transparent|#fff(?:fff)?\b)|(?:^|[^-])(?:height|width)\s*:\s*[01](?:px)?\s*(?:;|"|'|$)|(?:^|\s)hidden(?:[\s=]|$)/i;

/** Longest tag. What goes on for longer is text. */
const LONGEST = 16 * 1024;

/** A tag of HTML or XML as it stands in a text. */
export interface Tag {
  readonly name: string;
  readonly closes: boolean;
  readonly attributes: string;
  /** Index behind it. */
  readonly end: number;
}

/** The tag that begins at an index; null: none does; `'open'`: more of the text must be there to know. */
export function tagAt(text: string, at: number): Tag | 'open' | null {
  const closes = text[at + 1] === '/';
  const start = at + (closes ? 2 : 1);
  if (start >= text.length) return 'open';
  let from = start;
  while (from < text.length && isName(text.charCodeAt(from))) from++;
  if (from === start || !isLetter(text.charCodeAt(start))) return null;
  const end = endOf(text, from);
  if (typeof end === 'string') return end === 'open' ? 'open' : null;
  return { name: text.slice(start, from).toLowerCase(), closes, attributes: text.slice(from, end), end: end + 1 };
}

function endOf(text: string, from: number): number | 'open' | 'none' {
  let quote = 0;
  const most = Math.min(text.length, from + LONGEST);
  for (let at = from; at < most; at++) {
    const code = text.charCodeAt(at);
    if (quote !== 0) quote = code === quote ? 0 : quote;
    else if (code === 0x3e) return at;
    else if (code === 0x22 || code === 0x27) quote = code;
    else if (code === 0x3c) return 'none';
  }
  return most === text.length ? 'open' : 'none';
}

function isLetter(code: number): boolean {
  return (code | 0x20) >= 0x61 && (code | 0x20) <= 0x7a;
}

function isName(code: number): boolean {
  return isLetter(code) || (code >= 0x30 && code <= 0x39) || code === 0x2d || code === 0x3a || code === 0x5f;
}

/** How an element stands to the text around it. */
export function roleOf({ name }: Tag): 'block' | 'inline' | 'quote' | 'unknown' {
  if (BLOCKS.has(name)) return 'block';
  if (QUOTES.has(name)) return 'quote';
  return INLINE.has(name) ? 'inline' : 'unknown';
}

/** The element has no content. */
export function isVoid({ name, attributes }: Tag): boolean {
  return VOID.has(name) || attributes.endsWith('/');
}

/** What stands in the element is not shown to people. */
export function hides({ name, attributes }: Tag): boolean {
  return name === 'template' || name === 'noscript' || (attributes !== '' && HIDING.test(attributes));
}
