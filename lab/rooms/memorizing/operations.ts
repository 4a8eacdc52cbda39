import { filesOfSet, takeFiles } from '../../compute/handed-files.ts';
import type { Operation } from '../../compute/protocol.ts';
import { auditImages } from './audit.ts';
import type { AuditedImages } from './audit.ts';
import { drawModels } from './pair.ts';

/** Audits the sets `generated` and `training` that were handed over. */
const auditHanded: Operation<void, AuditedImages> = (_, context) =>
  auditImages({ generated: filesOfSet('generated'), training: filesOfSet('training') }, context);

/** What the worker of this room does. */
export const operations = { drawModels, takeFiles, auditHanded };
