import { describe, expect, it } from 'vitest';

import { Denial, asDenial } from '../../../src/model/denial.ts';

describe('Denial', () => {
  it("takes the reason's status unless it is given one", () => {
    expect(new Denial('host-not-allowed', 'x').status).toBe(403);
    expect(new Denial('request-malformed', 'x', { status: 431 }).status).toBe(431);
  });

  it('asDenial() passes a denial through and makes a fault of anything else, whose text the agent never sees', () => {
    const denial = new Denial('host-not-allowed', 'x');
    expect(asDenial(denial)).toBe(denial);
    const fault = asDenial(new TypeError('secret detail'));
    expect([fault.reason, fault.message.includes('secret')]).toEqual(['internal-fault', false]);
  });
});
