import { test } from 'vitest';
import { argument, expectAgreesWithRuntime, known } from './agreement.fixture.ts';

test('Mul', async () => {
  await expectAgreesWithRuntime({ operator: 'Mul', inputs: [argument('a', 2, 3), argument('b', 3)] });
  await expectAgreesWithRuntime({ operator: 'Mul', inputs: [argument('a', 2, 3), known('float', [], [3])] });
  await expectAgreesWithRuntime({ operator: 'Sin', inputs: [argument('a', 2, 3)] });
  await expectAgreesWithRuntime({ operator: 'Erf', inputs: [argument('a', 2, 3)], differences: 'float32' });
});
