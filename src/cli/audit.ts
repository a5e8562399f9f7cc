import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Command } from 'commander';
import { checkProof, proveEvents, type EventProof } from '../audit/proof.ts';
import { knownKeys, rotateAuditKey } from '../audit/sinks/audit-keys.ts';
import type { CheckpointEvent } from '../model/audit-event.ts';
import { errorCode } from '../model/error-code.ts';
import { auditFiles, collect, piecesOf, textOf, trustedKeys } from './audit-files.ts';
import { addEvents } from './audit-events.ts';
import { addAuditReplay } from './audit-replay.ts';
import { addIdentity } from './audit-identity.ts';
import { addRetention } from './audit-retention.ts';
import { addSinks } from './audit-sinks.ts';
import { addVerify } from './audit-verify.ts';
import { CommandError, EXIT } from './exit.ts';
import { configOf, withSettings } from './settings.ts';

/** `sallyport audit`: what is on record, proved and shown. */
export function addAudit(program: Command): void {
  const audit = program.command('audit').description('the audit log: prove it, and what stands in it');
  addEvents(audit);
  addAuditReplay(audit);
  addVerify(audit);
  addProve(audit);
  addCheckProof(audit);
  addCheckpoint(audit);
  addKeys(audit);
  addRetention(audit);
  addSinks(audit);
  addIdentity(audit);
}

function addProve(audit: Command): void {
  withSettings(audit.command('prove'), ['state'])
    .description('prove that the events of an exchange stand in the log, without the rest of it')
    .argument('<exchange>', 'its id, as refusals and events say it')
    .option('--log <path>', 'folder of the log, or a segment; that of the gate by default')
    .option('--out <file>', 'write the proof there; standard output by default')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit prove sallyport-1a2b3c4d-17 --out proof.json\n\nWhoever has the public key checks it with "sallyport audit check-proof proof.json --key …": no log, no gate.',
    )
    .action((exchange: string, options: { log?: string; out?: string }, command: Command) => {
      const path = options.log ?? join(configOf(command).state, 'audit');
      const proofs = proofsOf(exchange, path);
      const text = `${JSON.stringify({ version: 1, exchange, events: proofs }, null, 2)}\n`;
      if (options.out === undefined) process.stdout.write(text);
      else write(options.out, text);
    });
}

function proofsOf(exchange: string, path: string): EventProof[] {
  const { folder, lanes } = auditFiles(path);
  const member = `"exchange":${JSON.stringify(exchange)}`;
  const proofs: EventProof[] = [];
  let unsigned = 0;
  for (const name of [...lanes.values()].flat()) {
    const file = join(folder, name);
    if (!holds(file, member)) continue;
    const found = proveEvents(
      name,
      piecesOf(file),
      (event) => event.includes(member) && !event.startsWith('{"carried"'),
    );
    proofs.push(...found.proofs);
    unsigned += found.unsigned;
  }
  if (unsigned > 0)
    throw new CommandError(
      `${unsigned} events of ${exchange} are not signed yet: a running gate signs them within seconds`,
      EXIT.negative,
    );
  if (proofs.length === 0) throw new CommandError(`${path} has no event of an exchange ${exchange}`, EXIT.negative);
  return proofs;
}

/** Whether a text stands in a file; it may lie across two pieces. */
function holds(file: string, text: string): boolean {
  let tail = Buffer.alloc(0);
  for (const piece of piecesOf(file)) {
    const bytes = Buffer.concat([tail, piece]);
    if (bytes.includes(text)) return true;
    tail = bytes.subarray(Math.max(0, bytes.length - text.length));
  }
  return false;
}

function addCheckProof(audit: Command): void {
  withSettings(audit.command('check-proof'), ['state'])
    .description('check a proof, with nothing but it and a public key')
    .argument('<file>', 'the proof; - for standard input')
    .option('--key <key>', 'a public key that is trusted, or a file of them; may be given more than once', collect, [])
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit check-proof proof.json --key auditors/gate.pub\n\nExit codes: 0 it holds, 1 it does not, 2 it is no proof.',
    )
    .action((file: string, { key }: { key: readonly string[] }, command: Command) => {
      const keys = trustedKeys(key, join(configOf(command).state, 'audit'));
      for (const proof of readProofs(file)) {
        const checked = checkProof(proof, keys);
        if (typeof checked === 'string')
          throw new CommandError(`event ${proof.index} of ${proof.segment}: ${checked}`, EXIT.negative);
        process.stdout.write(
          `event ${proof.index} of ${checked.origin}, signed ${checked.time} with ${checked.size} events:\n${proof.event}\n`,
        );
      }
    });
}

function readProofs(file: string): readonly EventProof[] {
  const text = textOf(file);
  try {
    const { version, events } = JSON.parse(text) as { version: unknown; events: readonly EventProof[] };
    if (version === 1 && Array.isArray(events) && events.length > 0 && events.every(isProof)) return events;
  } catch {
    // Said below.
  }
  throw new CommandError(`${file} is no proof: make one with "sallyport audit prove"`);
}

function isProof(each: unknown): each is EventProof {
  if (typeof each !== 'object' || each === null) return false;
  const { checkpoint, event, index, key, proof, endorsement } = each as Record<string, unknown>;
  const texts = [checkpoint, event, key, ...(endorsement === undefined ? [] : [endorsement])];
  return (
    texts.every((text) => typeof text === 'string') &&
    Number.isSafeInteger(index) &&
    (index as number) >= 0 &&
    Array.isArray(proof) &&
    proof.every((hash) => typeof hash === 'string')
  );
}

function addCheckpoint(audit: Command): void {
  withSettings(audit.command('checkpoint'), ['state'])
    .description('print the newest signed checkpoint of each chain, to be kept elsewhere')
    .option('--log <path>', 'folder of the log, or a segment; that of the gate by default')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit checkpoint > /mnt/auditor/2026-01-01.checkpoint\n\nA log that was cut off or written anew since then does not pass "sallyport audit verify --checkpoint FILE".',
    )
    .action((options: { log?: string }, command: Command) => {
      const { folder, lanes } = auditFiles(options.log ?? join(configOf(command).state, 'audit'));
      const notes = [...lanes.values()].flatMap((names) => newestNote(folder, names) ?? []);
      if (notes.length === 0) throw new CommandError('nothing is signed yet', EXIT.negative);
      process.stdout.write(notes.join('\n'));
    });
}

function newestNote(folder: string, names: readonly string[]): string | null {
  for (const name of [...names].reverse()) {
    let line = '';
    let rest = '';
    for (const piece of piecesOf(join(folder, name))) {
      const lines = (rest + piece.toString('utf8')).split('\n');
      rest = lines.pop() ?? '';
      line = lines.findLast((each) => each.startsWith('{"kind":"checkpoint"')) ?? line;
    }
    if (line !== '') return (JSON.parse(line) as CheckpointEvent).note;
  }
  return null;
}

function addKeys(audit: Command): void {
  withSettings(audit.command('keys'), ['state'])
    .description('print the public keys that verify the log, to be kept elsewhere')
    .addHelpText('after', '\nExample:\n  sallyport audit keys > auditors/gate.pub')
    .action((_options: object, command: Command) => {
      const keys = knownKeys(join(configOf(command).state, 'keys'));
      if (keys.length === 0)
        throw new CommandError('there are no keys yet: the gate makes one when it starts', EXIT.negative);
      process.stdout.write(keys.map(({ text }) => `${text}\n`).join(''));
    });
  withSettings(audit.command('rotate-key'), ['state'])
    .description('sign with a new key from now on; the one before signs it, and its secret is removed')
    .addHelpText(
      'after',
      '\nExample:\n  sallyport audit rotate-key\n\nA running gate goes on with the new key in a new segment, at its next checkpoint.',
    )
    .action((_options: object, command: Command) => {
      const folder = join(configOf(command).state, 'keys');
      try {
        const { before, now } = rotateAuditKey(folder);
        process.stdout.write(
          before === null ? `made the first key: ${now.text}\n` : `${before.text}\nhas signed\n${now.text}\n`,
        );
      } catch (error) {
        throw new CommandError(`the key in ${folder} cannot be changed: ${(error as Error).message}`);
      }
    });
}

function write(file: string, text: string): void {
  try {
    writeFileSync(file, text);
  } catch (error) {
    throw new CommandError(`${file} cannot be written: ${errorCode(error)}`);
  }
}
