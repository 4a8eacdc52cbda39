/** What the reader chose; `system` follows the device. */
export type ThemeChoice = 'system' | 'light' | 'dark';

/** All of them, in the order of the switch. */
export const themeChoices: readonly ThemeChoice[] = ['system', 'light', 'dark'];

const KEY = 'eigenlens-theme';

/** Light or dark: the device's choice until the reader makes one, which this browser keeps. */
export class Theme {
  #choice: ThemeChoice = $state('system');

  constructor() {
    this.choice = themeChoices.find((choice) => choice === stored()) ?? 'system';
  }

  get choice(): ThemeChoice {
    return this.#choice;
  }

  set choice(choice: ThemeChoice) {
    this.#choice = choice;
    if (choice === 'system') delete document.documentElement.dataset['theme'];
    else document.documentElement.dataset['theme'] = choice;
    store(choice);
  }
}

// A browser may forbid to keep anything.
function stored(): string | null {
  try {
    return localStorage.getItem(KEY);
  } catch {
    return null;
  }
}

function store(choice: ThemeChoice): void {
  try {
    localStorage.setItem(KEY, choice);
  } catch {
    // It holds until the page is left.
  }
}
