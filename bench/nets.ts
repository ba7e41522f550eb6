/** The two nets that are compared with other libraries where requests and imported models are measured. */
import * as g from '../lib/index.ts'

const { nn } = g

export type NetName = 'MLP' | 'CNN'

export interface Net {
  /** Of a row. */
  readonly shape: readonly number[]
  readonly create: () => g.nn.Sequential
}

export const nets: Readonly<Record<NetName, Net>> = {
  MLP: {
    shape: [784],
    create: () => nn.sequential(nn.linear(784, 256), nn.relu(), nn.linear(256, 128), nn.relu(), nn.linear(128, 10)),
  },
  CNN: {
    shape: [1, 28, 28],
    create: () =>
      nn.sequential(
        ...[nn.conv2d(1, 32, 3, { padding: 1 }), nn.relu(), nn.maxPool2d(2)],
        ...[nn.conv2d(32, 64, 3, { padding: 1 }), nn.relu(), nn.maxPool2d(2)],
        ...[nn.flatten(), nn.linear(64 * 7 * 7, 128), nn.relu(), nn.linear(128, 10)],
      ),
  },
}
