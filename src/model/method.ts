/** The methods the gate carries: those of the IANA registry that Node's own parser knows. An agent has no use for others. */
export const METHODS: ReadonlySet<string> = new Set(
  (
    'ACL BIND CHECKOUT CONNECT COPY DELETE GET HEAD LINK LOCK M-SEARCH MERGE MKACTIVITY MKCALENDAR MKCOL MOVE NOTIFY OPTIONS ' +
    'PATCH POST PROPFIND PROPPATCH PURGE PUT REBIND REPORT SEARCH SOURCE SUBSCRIBE TRACE UNBIND UNLINK UNLOCK UNSUBSCRIBE'
  ).split(' '),
);

/** True for a method the gate carries. Methods are case-sensitive (RFC 9110 §9.1). */
export function isMethod(text: string): boolean {
  return METHODS.has(text);
}
