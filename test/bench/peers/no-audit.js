// A gate that records nothing, to be measured against: no gate can be told so. Used with `node --import`.
import { register } from 'node:module';

register('./no-audit-hooks.js', import.meta.url);
