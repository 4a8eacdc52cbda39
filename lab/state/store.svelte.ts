import { emptyState, linkTo, reduce, roomOf, viewOf } from './app.ts';
import type { AppAction, AppState } from './app.ts';
import type { Room, View } from './room.ts';

/** Browsers take about ten changes of the address a second; a slider makes more. */
const WRITE_MS = 250;

/** The one state of the lab and its copy in the address bar. */
export class Store {
  readonly rooms: readonly Room[];
  #state: AppState = $state.raw({ room: '', views: {}, notice: undefined });
  #timer: ReturnType<typeof setTimeout> | undefined;
  #writtenAt = -Infinity;

  constructor(rooms: readonly Room[]) {
    this.rooms = rooms;
    this.#state = reduce(rooms, emptyState(rooms), { kind: 'follow', hash: location.hash });
  }

  get room(): Room {
    return roomOf(this.rooms, this.#state.room);
  }

  get view(): View {
    return viewOf(this.rooms, this.#state, this.room.name);
  }

  get notice(): string | undefined {
    return this.#state.notice;
  }

  /** Where a room was left, as an address. */
  linkTo(room: Room): string {
    return linkTo(room, viewOf(this.rooms, this.#state, room.name));
  }

  dispatch(action: AppAction): void {
    if (action.kind === 'follow') clearTimeout(this.#timer);
    this.#state = reduce(this.rooms, this.#state, action);
    if (action.kind === 'act') this.#write();
  }

  /** Listens to the address bar. @returns how to stop */
  watch(): () => void {
    const follow = (): void => this.dispatch({ kind: 'follow', hash: location.hash });
    addEventListener('hashchange', follow);
    return () => removeEventListener('hashchange', follow);
  }

  /** At once, or as soon as the browser takes it. */
  #write(): void {
    clearTimeout(this.#timer);
    const write = (): void => {
      this.#writtenAt = performance.now();
      history.replaceState(null, '', this.linkTo(this.room));
    };
    const rest = this.#writtenAt + WRITE_MS - performance.now();
    if (rest <= 0) write();
    else this.#timer = setTimeout(write, rest);
  }
}
