/** Every command, for the reference page and the tests: each as the words that call it. */
export const COMMANDS = [
  [],
  ['start'],
  ['check'],
  ['test'],
  ['replay'],
  ['explain'],
  ['run'],
  ['agent', 'token'],
  ['ca', 'show'],
  ['ca', 'export'],
  ['ca', 'rotate'],
  ['ca', 'import'],
  ['pack'],
  ['schema'],
  ['version'],
];
