import { connect } from '../../compute/connect.ts';
import type { Remote } from '../../compute/connect.ts';
import { live } from '../../compute/live.svelte.ts';
import type { Live } from '../../compute/live.svelte.ts';
import type { Denoised, Point, PointTriplets } from '../../compute/network/operations.ts';
import { sameShape, sizeOf } from '../../../src/tensor/tensor.ts';
import type { CleanPicture } from './data.ts';
import { nameOfFiles, shippedShapes } from './data-name.ts';
import type { DataChoice } from './data-name.ts';
import type {
  JudgedNetwork,
  JudgeInput,
  operations,
  ReferenceInput,
  ReferencePoint,
  WholeSpectrum,
} from './operations.ts';
import { RANK } from './room.ts';
import type { MicroscopeState } from './room.ts';
import type { LabDevice, Subject } from './subject.ts';

type Worked = Remote<typeof operations>;
/** What `leadingTriplets` is asked. */
type TripletInput = Point<Subject> & { readonly rank: number; readonly seed: number };

/** Above this many numbers in a picture all singular values take minutes. */
export const MOST_VALUES = 1024;

/**
 * All that is computed in this room, following the view. Make it while a component is set up.
 * Each computation reads values of its own, so that it begins anew only where one of them has changed.
 */
export class Bench {
  readonly judged: Live<JudgeInput, JudgedNetwork, never>;
  readonly picture: Live<{ data: DataChoice; seed: number }, CleanPicture, never>;
  readonly look: Live<Point<Subject>, Denoised, never>;
  readonly triplets: Live<TripletInput, PointTriplets, never>;
  readonly moved: Live<Point<Subject>, Denoised, never>;
  readonly whole: Live<Point<Subject>, WholeSpectrum, never>;
  readonly references: Live<ReferenceInput, readonly ReferencePoint[], readonly ReferencePoint[]>;
  readonly deviceNote: Live<LabDevice, string | undefined, never>;
  /** Which direction is pointed at, from 0; passing, so no part of the view. */
  hovered: number | undefined = $state();

  readonly #view: () => MicroscopeState;
  readonly #model = $derived.by(() => this.#view().model);
  readonly #network = $derived.by(() => this.#view().network);
  readonly #pictures = $derived.by(() => this.#view().pictures);
  readonly #label = $derived.by(() => this.#view().reading);
  readonly #seed = $derived.by(() => this.#view().seed);
  readonly #sigma = $derived.by(() => this.#view().sigma);
  readonly #step = $derived.by(() => this.#view().step);
  readonly #device = $derived.by(() => this.#view().device);
  readonly #direction = $derived.by(() => this.#view().direction);

  /** The dropped network, once it is judged. */
  readonly opened: JudgedNetwork | undefined = $derived.by(() => {
    const { value, error } = this.judged;
    const isIt = this.#network.length > 0 && value?.id === nameOfFiles(this.#network) && error === undefined;
    return isIt ? value : undefined;
  });
  /** How it is read. */
  readonly reading: JudgedNetwork['readings'][number] | undefined = $derived.by(() => {
    const wanted = this.#label ?? this.opened?.chosen;
    return this.opened?.readings.find(({ label }) => label === wanted);
  });
  readonly data: DataChoice | undefined = $derived.by(() => {
    const pictures = this.#pictures;
    if (this.#network.length === 0) return { model: this.#model, pictures, sampleShape: shippedShapes[this.#model] };
    return this.opened && { model: undefined, pictures, sampleShape: this.opened.sampleShape };
  });
  readonly #subject: Subject | undefined = $derived.by(() => {
    const [device, files] = [this.#device, this.#network];
    if (files.length === 0) return { kind: 'shipped', id: `${this.#model} ${device}`, name: this.#model, device };
    const { reading } = this;
    const id = `${nameOfFiles(files)} ${reading?.label} ${device}`;
    return reading && { kind: 'network', id, files, reading, device };
  });
  /** The clean picture; undefined while another model's is shown. */
  readonly clean: CleanPicture | undefined = $derived.by(() => {
    const { value, error } = this.picture;
    const fits = value !== undefined && error === undefined && this.data !== undefined;
    return fits && sameShape(value.shape, this.data.sampleShape) ? value : undefined;
  });
  /** With noise. */
  readonly noisy: Float32Array | undefined = $derived.by(() => {
    const sigma = this.#sigma;
    return this.clean && Float32Array.from(this.clean.clean, (v, i) => v + sigma * (this.clean?.noise[i] as number));
  });
  readonly #point: Point<Subject> | undefined = $derived.by(() => {
    const [model, x, sigma] = [this.#subject, this.noisy, this.#sigma];
    return model && x && { model, x, sigma };
  });
  readonly active: number = $derived.by(() => this.hovered ?? this.#direction);
  /** Numbers in a picture. */
  readonly dimension: number = $derived.by(() => sizeOf(this.data?.sampleShape ?? []));
  /** D(x), and the triplets of its Jacobian; while others are computed, those of before, if they are of this size. */
  readonly denoised: Float32Array | undefined = $derived.by(() => this.#fitting(this.look.value?.denoised));
  readonly found: PointTriplets | undefined = $derived.by(() => {
    const { value } = this.triplets;
    return value !== undefined && value.right.length === value.values.length * this.dimension ? value : undefined;
  });
  readonly movedTo: Float32Array | undefined = $derived.by(() => this.#fitting(this.moved.value?.denoised));
  readonly beside: readonly ReferencePoint[] = $derived.by(() => {
    const { busy, part, value } = this.references;
    return ((busy ? part : undefined) ?? value ?? []).filter(({ denoised }) => denoised.length === this.dimension);
  });
  /** The whole spectrum of this very point. */
  readonly spectrum: WholeSpectrum | undefined = $derived.by(() => {
    const isOld = this.triplets.busy || this.whole.busy;
    return isOld || this.whole.value?.values.length !== this.dimension ? undefined : this.whole.value;
  });

  constructor(view: () => MicroscopeState) {
    this.#view = view;
    const [viewer, analyst, scribe] = [startWorker(), startWorker(), startWorker()] as const;
    $effect(() => () => [viewer, analyst, scribe].forEach((worker) => worker[Symbol.dispose]()));

    this.deviceNote = live(
      () => (this.#device === 'webgpu' ? this.#device : undefined),
      (device, options) => viewer.call('deviceNote', device, options),
    );
    this.judged = live(
      () => this.#network.length === 0 ? undefined : { files: this.#network, pictures: this.#pictures, device: this.#device },
      (input, options) => viewer.call('judge', input, options),
    ); // prettier-ignore
    this.picture = live(
      () => this.data && { data: this.data, seed: this.#seed },
      (input, options) => viewer.call('picture', input, options),
    );
    this.look = live(
      () => this.#point,
      (input, options) => viewer.call('denoise', input, options),
    );
    this.triplets = live(
      () => this.#point && { ...this.#point, rank: RANK, seed: this.#seed },
      (input, options) => analyst.call('leadingTriplets', input, options),
    );
    // What follows waits for what is moved: D(x) first, then its triplets.
    this.moved = live(
      () => this.#movedPoint(),
      (input, options) => viewer.call('denoise', input, options),
    );
    this.whole = live(
      () => this.triplets.busy || this.found === undefined || this.dimension > MOST_VALUES ? undefined : this.#point,
      (input, options) => analyst.call('wholeSpectrum', input, options),
    ); // prettier-ignore
    // The first triplets come before the closed forms are made, which takes longer; from then on those follow D(x).
    this.references = live(
      () => this.look.busy || this.found === undefined ? undefined : this.#referenceInput(),
      (input, options) => scribe.call('references', input, options),
    ); // prettier-ignore
  }

  #fitting(values: Float32Array | undefined): Float32Array | undefined {
    return values?.length === this.dimension ? values : undefined;
  }

  #movedPoint(): Point<Subject> | undefined {
    if (this.triplets.busy || this.#point === undefined || this.found === undefined) return undefined;
    const [D, step, at] = [this.dimension, this.#step, this.active * this.dimension];
    const { right } = this.found;
    if (at + D > right.length) return undefined;
    return { ...this.#point, x: this.#point.x.map((v, j) => v + step * (right[at + j] as number)) };
  }

  #referenceInput(): ReferenceInput | undefined {
    const [data, x, sigma, seed] = [this.data, this.noisy, this.#sigma, this.#seed];
    return data && x && { data, x, sigma, seed, rank: RANK };
  }
}

function startWorker(): Worked {
  return connect<typeof operations>(() => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));
}
