import { auditImages } from './audit.ts';
import { drawModels } from './pair.ts';

/** What the worker of this room does. */
export const operations = { drawModels, auditImages };
