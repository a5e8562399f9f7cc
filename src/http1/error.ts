/** Why bytes are not a message. `status` is what the agent's side answers with; the connection is closed either way. */
export class Http1Error extends Error {
  readonly status: number;

  constructor(detail: string, status = 400) {
    super(detail);
    this.name = 'Http1Error';
    this.status = status;
  }
}
