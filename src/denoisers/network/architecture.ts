import { linear } from './linear.ts';
import type { LinearConfig } from './linear.ts';
import { mlp } from './mlp.ts';
import type { MlpConfig } from './mlp.ts';
import type { Network } from './network.ts';
import { subspaces } from './subspaces.ts';
import type { SubspacesConfig } from './subspaces.ts';
import { unet } from './unet.ts';
import type { UnetConfig } from './unet.ts';

/** A network as plain data: what a side-car file says. */
export type Architecture =
  | ({ readonly kind: 'unet' } & UnetConfig)
  | ({ readonly kind: 'mlp' } & MlpConfig)
  | ({ readonly kind: 'linear' } & LinearConfig)
  | ({ readonly kind: 'low-rank' } & SubspacesConfig);

/** The network that an architecture describes. @throws DomainError where its sizes do not fit together */
export function buildNetwork(architecture: Architecture): Network {
  switch (architecture.kind) {
    case 'unet':
      return unet(architecture);
    case 'mlp':
      return mlp(architecture);
    case 'linear':
      return linear(architecture);
    case 'low-rank':
      return subspaces(architecture);
    default:
      return architecture satisfies never;
  }
}
