import { connect } from '../../compute/connect.ts';
import type { Remote } from '../../compute/connect.ts';
import { live } from '../../compute/live.svelte.ts';
import type { Live } from '../../compute/live.svelte.ts';
import type { Denoised, Point, PointTriplets } from '../../compute/network/operations.ts';
import type { TripletEstimate } from '../../compute/network/sweep-operator.ts';
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
  ReferenceSpectrum,
  WholeSpectrum,
} from './operations.ts';
import { referenceKinds } from './reference-kinds.ts';
import { RANK } from './room.ts';
import type { MicroscopeState } from './room.ts';
import type { LabDevice, Subject } from './subject.ts';

type Worked = Remote<typeof operations>;
interface TripletChoice {
  readonly rank: number;
  readonly seed: number;
}
type TripletInput = Point<Subject> & TripletChoice;
type SpectraInput = ReferenceInput & TripletChoice;
/** An answer, with what was asked. */
interface Answer<I, O> {
  readonly of: I;
  readonly value: O;
}
/** A step from a point. */
interface Moved {
  readonly from: Point<Subject>;
  readonly x: Float32Array;
}
/** What is known of the triplets of a point. */
interface KnownTriplets {
  readonly of: TripletInput;
  readonly estimate: TripletEstimate;
  readonly isSettled: boolean;
}

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
  readonly moved: Live<Moved, Answer<Moved, Denoised>, never>;
  readonly whole: Live<Point<Subject>, Answer<Point<Subject>, WholeSpectrum>, never>;
  readonly references: Live<
    ReferenceInput,
    Answer<ReferenceInput, readonly ReferencePoint[]>,
    readonly ReferencePoint[]
  >;
  readonly spectra: Live<
    SpectraInput,
    Answer<SpectraInput, readonly ReferenceSpectrum[]>,
    readonly ReferenceSpectrum[]
  >;
  readonly deviceNote: Live<LabDevice, string | undefined, never>;
  /** Which direction is pointed at, from 0; passing, so no part of the view. */
  hovered: number | undefined = $state();
  #known: KnownTriplets | undefined = $state.raw();

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
  readonly #wanted: TripletInput | undefined = $derived.by(() => {
    const [point, seed] = [this.#point, this.#seed];
    return point && { ...point, rank: RANK, seed };
  });
  readonly #referenceInput: ReferenceInput | undefined = $derived.by(() => {
    const [data, x, sigma] = [this.data, this.noisy, this.#sigma];
    return data && x && { data, x, sigma };
  });
  readonly #spectraInput: SpectraInput | undefined = $derived.by(() => {
    const [input, seed] = [this.#referenceInput, this.#seed];
    return input && { ...input, rank: RANK, seed };
  });
  /** Whether triplets of this model were found before, so that its graphs are there. */
  readonly #isWarm: boolean = $derived.by(
    () => this.triplets.value !== undefined && this.#known?.of.model === this.#subject,
  );
  /** D(x) has the machine to itself. */
  readonly #sought: TripletInput | undefined = $derived.by(() => (this.look.busy ? undefined : this.#wanted));
  readonly active: number = $derived.by(() => this.hovered ?? this.#direction);
  /** Numbers in a picture. */
  readonly dimension: number = $derived.by(() => sizeOf(this.data?.sampleShape ?? []));
  /** D(x); while another is computed, that of before, if it is of this size. */
  readonly denoised: Float32Array | undefined = $derived.by(() => {
    const denoised = this.look.value?.denoised;
    return this.clean !== undefined && denoised?.length === this.dimension ? denoised : undefined;
  });
  /** The triplets as far as they are known; while nothing is known of this point, those of before, if they are of this size. */
  readonly found: TripletEstimate | undefined = $derived.by(() => {
    const estimate = this.#known?.estimate;
    return this.clean !== undefined && estimate?.right.length === RANK * this.dimension ? estimate : undefined;
  });
  /** Whether the triplets of this very point are known at all, and whether to the last digit. */
  readonly isKnown: boolean = $derived.by(() => this.#wanted !== undefined && this.#known?.of === this.#wanted);
  readonly isSettled: boolean = $derived.by(() => this.isKnown && this.#known?.isSettled === true);
  /** D(x + step v) of this point; while another step is computed, that of before. */
  readonly movedTo: Float32Array | undefined = $derived.by(() => {
    const { value } = this.moved;
    return value?.of.from === this.#point ? value?.value.denoised : undefined;
  });
  /** Closed forms as far as they are known at this point; for the rest what they made of the point before. */
  readonly beside: readonly ReferencePoint[] = $derived.by(() => {
    const { busy, part, value } = this.references;
    const before = value?.of.data === this.data ? value?.value : undefined;
    const now = busy ? part : undefined;
    return referenceKinds.flatMap(
      (kind) => now?.find((own) => own.kind === kind) ?? before?.find((own) => own.kind === kind) ?? [],
    );
  });
  /** Singular values of closed forms where the triplets are. */
  readonly spectraBeside: readonly ReferenceSpectrum[] = $derived.by(() => {
    const { busy, part, value } = this.spectra;
    const isThere = value !== undefined && value.of.x === this.#known?.of.x;
    const spectra = busy ? part : isThere ? value.value : undefined;
    return (this.found && spectra) ?? [];
  });
  /** The whole spectrum where the triplets are. */
  readonly spectrum: WholeSpectrum | undefined = $derived.by(() => {
    const [{ value }, of] = [this.whole, this.#known?.of];
    const isThere = value !== undefined && value.of.x === of?.x && value.of.model === of.model;
    return this.found && isThere ? value.value : undefined;
  });

  constructor(view: () => MicroscopeState) {
    this.#view = view;
    const [viewer, analyst, scribe] = [startWorker(), startWorker(), startWorker()] as const;
    $effect(() => () => [viewer, analyst, scribe].forEach((worker) => worker[Symbol.dispose]()));

    this.deviceNote = live(
      () => (this.#device === 'webgpu' ? this.#device : undefined),
      (device, options) => viewer.call('deviceNote', device, options),
    );
    this.#prepare(viewer, analyst);
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
      () => this.#sought,
      async (of, { signal, onProgress }) => {
        const onPart = (estimate: TripletEstimate): void => {
          if (!signal.aborted) this.#known = { of, estimate, isSettled: false };
        };
        try {
          const found = await analyst.call('leadingTriplets', of, { signal, onProgress, onPart });
          if (!signal.aborted) this.#known = { of, estimate: found, isSettled: true };
          return found;
        } catch (error) {
          if (!signal.aborted) this.#known = undefined;
          throw error;
        }
      },
    );
    // What follows waits for what is moved: D(x) first, then its triplets.
    this.moved = live(
      () => this.#movedPoint(),
      async (of, options) => {
        const value = await viewer.call('denoise', { ...of.from, x: of.x }, options);
        return { of, value };
      },
    );
    this.whole = live(
      () => (this.isSettled && this.dimension <= MOST_VALUES ? this.#point : undefined),
      (of, options) => analyst.call('wholeSpectrum', of, options).then((value) => ({ of, value })),
    );
    // The first triplets come before the closed forms are made, which takes longer; from then on those follow D(x).
    this.references = live(
      () => (this.look.busy || !this.#isWarm ? undefined : this.#referenceInput),
      (of, options) => scribe.call('references', of, options).then((value) => ({ of, value })),
    );
    this.spectra = live(
      () => (this.isKnown && !this.references.busy ? this.#spectraInput : undefined),
      (of, options) => scribe.call('referenceSpectra', of, options).then((value) => ({ of, value })),
    );
  }

  /** Stops the search for triplets; those of another point go, for nothing comes in their place. */
  readonly stop = (): void => {
    this.triplets.cancel();
    if (!this.isKnown) this.#known = undefined;
  };

  /** Makes graphs while the picture is on its way, that of D(x) first. What goes wrong is said by those who need them. */
  #prepare(viewer: Worked, analyst: Worked): void {
    const ready = live(
      () => this.#subject,
      (model, options) => viewer.call('prepare', { model, calls: 'denoise' }, options).then(() => model),
    );
    live(
      () => ready.value,
      (model, options) => analyst.call('prepare', { model, calls: 'products' }, options),
    );
  }

  #movedPoint(): Moved | undefined {
    const [from, step, at] = [this.#point, this.#step, this.active * this.dimension];
    if (!this.isSettled || from === undefined || this.found === undefined) return undefined;
    const { right } = this.found;
    return { from, x: from.x.map((v, j) => v + step * (right[at + j] as number)) };
  }
}

function startWorker(): Worked {
  return connect<typeof operations>(() => new Worker(new URL('./worker.ts', import.meta.url), { type: 'module' }));
}
