// What scanning costs, told by one process in which it is switched on and off in turn: a machine whose speed changes from minute to
// minute does not show it between two processes. Loaded into the gate that the bench measures; it writes to standard error.
//   BENCH_NODE_FLAGS="--import $PWD/test/bench/switched.js" npm run bench -- post-32 --peers "" --rounds 1 --seconds 30
import { isMainThread } from 'node:worker_threads';

/** Milliseconds of a window, of which the first belongs to requests from before the switch; and of all that is not counted. */
const WINDOW = 60;
const WARM_UP = 8000;
const REPORT = 4000;
/** Requests of the fewest a window says something by. */
const FEWEST = 50;

if (isMainThread && process.argv[2] === 'start') {
  const { Inspection } = await import('../../dist/proxy/inspection.js');
  let isOn = true;
  let requests = 0;
  replace(Inspection, 'off', (off) => {
    requests++;
    return !isOn || off;
  });
  replace(Inspection, 'answerTerms', (terms) => (isOn ? terms : null));
  const sums = { on: { cpu: 0, requests: 0 }, off: { cpu: 0, requests: 0 } };
  let last = process.cpuUsage();
  let isSettled = false;
  const timer = setInterval(() => {
    const spent = process.cpuUsage(last);
    if (isSettled && requests >= FEWEST && performance.now() > WARM_UP) {
      const sum = isOn ? sums.on : sums.off;
      sum.cpu += spent.user + spent.system;
      sum.requests += requests;
    }
    if (isSettled) isOn = !isOn;
    isSettled = !isSettled;
    last = process.cpuUsage();
    requests = 0;
  }, WINDOW);
  timer.unref();
  setInterval(() => {
    if (sums.on.requests === 0 || sums.off.requests === 0) return;
    const [on, off] = [sums.on, sums.off].map((sum) => sum.cpu / sum.requests);
    process.stderr.write(
      `scanned ${on.toFixed(0)} µs CPU a request, not scanned ${off.toFixed(0)}: ${(off / on).toFixed(2)} ×\n`,
    );
  }, REPORT).unref();
}

/** Has a getter of a class return something else. */
function replace(owner, name, change) {
  const { get } = Object.getOwnPropertyDescriptor(owner.prototype, name);
  Object.defineProperty(owner.prototype, name, {
    get() {
      return change(get.call(this));
    },
  });
}
