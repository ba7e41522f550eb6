/** The nets that requests and imported models are measured with: two that are compared with other libraries, and one whose rows take long. */
import * as g from '../lib/index.ts'

const { nn } = g

export const comparedNets = ['MLP', 'CNN'] as const

export type NetName = (typeof comparedNets)[number] | 'deep CNN'

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
  // 87 million products for each row.
  'deep CNN': {
    shape: [1, 28, 28],
    create: () =>
      nn.sequential(
        ...[nn.conv2d(1, 64, 3, { padding: 1 }), nn.relu(), nn.conv2d(64, 128, 3, { padding: 1 }), nn.relu()],
        ...[nn.maxPool2d(2), nn.conv2d(128, 128, 3, { padding: 1 }), nn.relu(), nn.maxPool2d(2)],
        ...[nn.flatten(), nn.linear(128 * 7 * 7, 10)],
      ),
  },
}
