import { expect, it } from 'vitest';
import { ConfigError, LOG_LEVELS } from '../../../src/config/config.ts';

it('a mistake in the configuration is an error of its own kind', () => {
  expect(new ConfigError('x')).toMatchObject({ name: 'ConfigError', message: 'x' });
  expect(LOG_LEVELS).toContain('silent');
});
