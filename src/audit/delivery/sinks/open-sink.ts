import { setTimeout as wait } from 'node:timers/promises';
import type { AuditEvent } from '../../../model/audit-event.ts';
import type { Sink } from '../../../model/sink.ts';
import { eventText } from '../../chain.ts';
import { Coalescer } from '../coalesce.ts';
import { Refused, type Carrier, type SentEvent } from '../event.ts';
import { Courier, type CourierOptions, type Packing } from './courier.ts';
import { Follower } from './follower.ts';
import { openKafka } from './kafka.ts';
import { openOcsf } from './ocsf.ts';
import { openOtlp } from './otlp.ts';
import { PlaceFile } from './place-file.ts';
import { openRedisStream } from './redis-stream.ts';
import { openSyslog } from './syslog.ts';
import { openMessages, openWebhook } from './webhook.ts';

/** What a sink runs on. */
export interface SinkGround extends Pick<CourierOptions<never>, 'record' | 'report'> {
  /** Folder of the audit log. */
  readonly log: string;
  /** Folder of how far each sink has come. */
  readonly places: string;
  /** Version of the gate. */
  readonly version: string;
  /** Milliseconds since 1970. */
  readonly clock: () => number;
}

/** A courier, whatever it carries. */
export type AnyCourier = Pick<Courier<never>, 'run' | 'close'>;

/** Every kind of sink that takes events as they are. */
const CARRIERS: {
  readonly [Kind in Sink['kind']]: (
    sink: Extract<Sink, { kind: Kind }>,
    ground: Pick<SinkGround, 'version' | 'clock'>,
  ) => Carrier<SentEvent>;
} = {
  webhook: (sink, { clock }) => openWebhook(sink, clock),
  syslog: (sink, { version }) => openSyslog(sink, version),
  ocsf: (sink, { version }) => openOcsf(sink, version),
  otlp: (sink, { version }) => openOtlp(sink, version),
  kafka: (sink) => openKafka(sink),
  redis: (sink) => openRedisStream(sink),
};

/** Opens what takes the events of the log to a sink. Throws an Error with one line. */
export function openSink(sink: Sink, ground: SinkGround): AnyCourier {
  const place = new PlaceFile(ground.places, sink.name);
  const follower = new Follower(ground.log, place.read());
  // From the start: what comes before it has sent anything must find it again.
  place.write(follower.cursor);
  const { name, events, spool } = sink;
  const { record, report } = ground;
  const keep: CourierOptions<never>['keep'] = (cursor) => place.write(cursor);
  const options = { name, events, spool, follower, keep, record, report, sleep };
  if (sink.kind === 'webhook' && sink.shape !== 'events')
    return new Courier({
      ...options,
      carrier: openMessages(sink, ground.clock),
      packing: forPeople(new Coalescer(sink.coalesce)),
    });
  return new Courier({ ...options, carrier: carrierOf(sink, ground), packing: AS_THEY_ARE });
}

/** Sends one event that stands in no log, the way all others go. Rejects with what the receiver or the network says. */
export async function sendTo(
  sink: Sink,
  event: AuditEvent,
  ground: Pick<SinkGround, 'version' | 'clock'>,
): Promise<void> {
  const sent: SentEvent = { id: `test:${event.time}`, line: eventText(event), event };
  const send = async <Parcel>(carrier: Carrier<Parcel>, parcels: readonly Parcel[]): Promise<void> => {
    try {
      if ((await carrier.send(parcels)) > 0) throw new Refused('the receiver rejected it');
    } finally {
      carrier.close();
    }
  };
  if (sink.kind === 'webhook' && sink.shape !== 'events')
    await send(openMessages(sink, ground.clock), new Coalescer(0).add([sent], {}, 0));
  else await send(carrierOf(sink, ground), [sent]);
}

/** What takes events as they are to a sink. Throws an Error with one line. */
function carrierOf<Kind extends Sink['kind']>(
  sink: Extract<Sink, { kind: Kind }>,
  ground: Pick<SinkGround, 'version' | 'clock'>,
): Carrier<SentEvent> {
  const open = CARRIERS[sink.kind as Kind] as (typeof CARRIERS)[Kind];
  return open(sink, ground);
}

const sleep: CourierOptions<never>['sleep'] = (milliseconds, signal) =>
  wait(milliseconds, undefined, { signal }).catch(() => undefined);

const AS_THEY_ARE: Packing<SentEvent> = {
  kindOf: ({ event }) => event.kind,
  pack: (events) => events,
  due: () => [],
  wait: () => null,
  untold: null,
};

function forPeople(coalescer: Coalescer): Packing<ReturnType<Coalescer['due']>[number]> {
  return {
    kindOf: ({ last }) => last.event.kind,
    pack: (events, from) => coalescer.add(events, from, performance.now()),
    due: () => coalescer.due(performance.now()),
    wait: () => coalescer.wait(performance.now()),
    get untold() {
      return coalescer.untold;
    },
  };
}
