import { mount } from 'svelte';

import App from './app/App.svelte';
import { rooms } from './rooms/registry.ts';
import { Store } from './state/store.svelte.ts';
import './app/style.css';

mount(App, { target: document.getElementById('app') as HTMLElement, props: { store: new Store(rooms) } });
