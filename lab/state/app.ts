import type { Room, View } from './room.ts';

/** All that the lab shows: the view of one room, tagged by its name, and what other rooms were left at. */
export interface AppState {
  readonly room: string;
  /** By name of the room; rooms that were not visited are missing. */
  readonly views: Readonly<Record<string, View>>;
  /** One sentence about a link that could not be followed in full. */
  readonly notice: string | undefined;
}

/** Everything that can happen. */
export type AppAction =
  | { readonly kind: 'follow'; readonly hash: string }
  | { readonly kind: 'act'; readonly room: string; readonly action: string; readonly input: unknown }
  | { readonly kind: 'dismiss' };

/** What the lab shows next. @param rooms  in the order of the navigation, the first is where one begins */
export function reduce(rooms: readonly Room[], state: AppState, action: AppAction): AppState {
  switch (action.kind) {
    case 'follow':
      return follow(rooms, state, action.hash);
    case 'act': {
      const { room, action: name, input } = action;
      const next = roomOf(rooms, room).perform(viewOf(rooms, state, room), name, input);
      return { ...state, views: { ...state.views, [room]: next } };
    }
    case 'dismiss':
      return { ...state, notice: undefined };
  }
}

/** Before any link was followed. */
export function emptyState(rooms: readonly Room[]): AppState {
  return { room: (rooms[0] as Room).name, views: {}, notice: undefined };
}

/** The view of a room: as it was left, or as it begins. */
export function viewOf(rooms: readonly Room[], { views }: AppState, name: string): View {
  return views[name] ?? roomOf(rooms, name).start;
}

/** The room of that name. */
export function roomOf(rooms: readonly Room[], name: string): Room {
  return rooms.find((room) => room.name === name) ?? (rooms[0] as Room);
}

/** The link to a view: `#correlation.1?p=400`, or `#correlation` for one as it begins. */
export function linkTo({ name, version, encode }: Room, view: View): string {
  const parameters = encode(view).toString();
  return parameters === '' ? `#${name}` : `#${name}.${version}?${parameters}`;
}

const LINK = /^#?([a-z-]*)(?:\.(\d+))?(?:\?(.*))?$/s;

function follow(rooms: readonly Room[], state: AppState, hash: string): AppState {
  const [, name = '', version, parameters = ''] = LINK.exec(hash) ?? [];
  const room = rooms.find((r) => r.name === name);
  if (room === undefined) {
    const notice =
      hash.replace('#', '') === '' ? undefined : `The link names no room of this lab: here is ${rooms[0]?.title}.`;
    return { ...state, room: (rooms[0] as Room).name, notice };
  }
  if (version !== undefined && Number(version) !== room.version) {
    const notice = 'The link is from another version of this room: what it shows is the start.';
    return withView(state, room, room.start, notice);
  }
  const { state: view, complaints } = room.decode(new URLSearchParams(parameters));
  const notice = complaints.length === 0 ? undefined : `${complaints.join(' ')} It shows the start there.`;
  return withView(state, room, view, notice);
}

function withView(state: AppState, room: Room, view: View, notice: string | undefined): AppState {
  return { room: room.name, views: { ...state.views, [room.name]: view }, notice };
}
