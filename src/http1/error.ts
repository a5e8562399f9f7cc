import type { Reason } from '../model/reason.ts';

/** Bytes that are no message, or are one in a form the gate does not take. */
export class Http1Error extends Error {
  /** What an agent is answered. */
  readonly status: number;
  readonly reason: Reason;

  constructor(message: string, status = 400, reason: Reason = 'request-malformed') {
    super(message);
    this.name = 'Http1Error';
    this.status = status;
    this.reason = reason;
  }
}
