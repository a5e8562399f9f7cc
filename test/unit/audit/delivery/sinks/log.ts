import { appendFileSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { GENESIS, sealLine, sealOf } from '../../../../../src/audit/chain.ts';
import type { AuditEvent } from '../../../../../src/model/audit-event.ts';

/** A segment on disk, sealed write by write, as the gate makes it. */
export class SegmentOnDisk {
  readonly file: string;
  #last = GENESIS;

  constructor(file: string) {
    this.file = file;
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, '');
    this.write('{"kind":"segment"}');
  }

  /** One sealed write; texts as they are, events as JSON. */
  write(...events: ReadonlyArray<AuditEvent | string>): void {
    appendFileSync(this.file, this.sealed(...events));
  }

  /** The same, not written: for what a crash cuts short. */
  sealed(...events: ReadonlyArray<AuditEvent | string>): string {
    const lines = events.map((event) => `${typeof event === 'string' ? event : JSON.stringify(event)}\n`).join('');
    this.#last = sealOf(this.#last, Buffer.from(lines));
    return lines + sealLine(events.length, this.#last);
  }
}
