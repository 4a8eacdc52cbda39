import type { Dataset } from '../../data/dataset.ts';
import { inMemory } from '../../data/dataset.ts';
import { openDataset } from '../../data/open.ts';
import { tensor } from '../../tensor/tensor.ts';
import { rankCorrelation } from '../../theory/rank-correlation.ts';
import { linearEmergence } from '../linear-emergence.ts';
import type { LinearEmergence } from '../linear-emergence.ts';
import type { TopicContext } from '../theory/topic.ts';
import { between } from './reproduction.ts';
import type { ClaimResult, Reproduction, ReproductionResult } from './reproduction.ts';

const PAPER = 'arXiv 2410.14730, claim 1; the number is measured here';
const DERIVED = 'derived: spiked covariance on an empirical spectrum';
const TINY_SAMPLES = 2000;

/** Low frequencies first, on real images: order of emergence against radial Fourier energy of the principal components. */
export const lowFrequencies: Reproduction = {
  name: 'low-frequencies',
  title: 'Low frequencies emerge first from noise',
  source: 'arXiv 2410.14730, claim 1 and figure 3',
  async run(size, context): Promise<ReproductionResult> {
    const fashion = await openDataset('fashion-train');
    const dataset = size === 'full' ? fashion : await halved(fashion);
    const components = size === 'full' ? 20 : 10;
    const learned = await linearEmergence({ dataset, components, ...context });
    const { rows, sigmas, figures, frequencyCorrelation, samples, dimension } = learned;
    return {
      claims: [
        between('rank correlation of critical noise and mean radial frequency', frequencyCorrelation, -1, -0.7, PAPER),
        ...orderClaims(learned),
        await cleanClaim(dataset, components, context),
      ],
      figures,
      values: { dataset: dataset.name, samples, dimension, sigmas, frequencyCorrelation, rows },
      notes: [
        'The paper uses MNIST with sizes that are unknown: Fashion-MNIST, all training samples, one noise draw each, 12 noise levels.',
        'Reference: the principal components of the clean data, matched by index; the emergence is where half of a component lies in the learned span.',
        'Components of nearly equal variance (9 and 10 at full size) trade places, which costs them alignment but no emergence.',
        ...(size === 'tiny' ? [`Tiny: the first ${TINY_SAMPLES} images at half the resolution.`] : []),
      ],
    };
  },
};

function orderClaims({ rows }: LinearEmergence): ClaimResult[] {
  const critical = rows.map((row) => row.criticalSigma);
  const measured = rows.map((row) => row.emergenceSigma);
  const ratios = measured.map((sigma, i) => sigma / (critical[i] as number));
  return [
    between(
      'rank correlation of predicted and measured order of emergence',
      rankCorrelation(critical, measured),
      0.95,
      1,
      DERIVED,
    ),
    // c^2 = 1/2 lies at 0.80 of the critical noise for p / n = 784 / 9000; noise levels are a factor of about 1.5 apart.
    between('smallest measured over critical noise level', Math.min(...ratios), 0.6, 1.1, DERIVED),
    between('largest measured over critical noise level', Math.max(...ratios), 0.6, 1.1, DERIVED),
  ];
}

async function cleanClaim(dataset: Dataset, components: number, context: TopicContext): Promise<ClaimResult> {
  const { seed, signal } = context;
  const { rows } = await linearEmergence({ dataset, components, sigmas: [20, 1], draws: Infinity, seed, signal });
  const least = Math.min(...rows.flatMap((row) => row.alignment));
  return between('smallest alignment at noise 20 and 1 with infinitely many draws', least, 1 - 1e-8, 1 + 1e-8, DERIVED);
}

/** The first images, each pixel the mean of 2 x 2. */
async function halved(dataset: Dataset): Promise<Dataset> {
  const [, height = 0, width = 0] = dataset.sampleShape;
  const [h, w] = [height / 2, width / 2];
  const { data } = await dataset.read(Array.from({ length: TINY_SAMPLES }, (_, i) => i));
  const small = Float32Array.from({ length: TINY_SAMPLES * h * w }, (_, at) => {
    const [i, y, x] = [Math.floor(at / (h * w)), Math.floor(at / w) % h, at % w];
    const first = i * height * width + 2 * y * width + 2 * x;
    const four = [first, first + 1, first + width, first + width + 1];
    return four.reduce((sum, pixel) => sum + (data[pixel] as number), 0) / 4;
  });
  return inMemory(`${dataset.name} at half size`, tensor('float32', [TINY_SAMPLES, 1, h, w], small), dataset.range);
}
