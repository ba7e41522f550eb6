/** A run in which every text tries to be executed. */
import type { RunRecord } from '../../../lib/events/record.ts'
import { madeUpHistogram, madeUpImage, randomOf } from './made-up-runs.ts'

/** Sets `window.hacked` wherever it is taken for markup, a script, an attribute or a style; the number tells which field. */
export const hostile = (field: string): string =>
  `"'><img src=x onerror="window.hacked='${field}'"></script><script>window.hacked='${field}'</script>{{${field}}}\${hacked}`

/** As much of it as the name of a folder takes. */
export const hostileFolder = `<img src=x onerror=window.hacked=1>"'&lt;`

export function hostileRun(): RunRecord[] {
  const random = randomOf(5)
  const place = { step: 1, epoch: 1, time: Date.UTC(2026, 5, 1) }
  const image = madeUpImage(random)
  const node = { dtype: hostile('dtype'), shape: [2, 3] }
  return [
    { type: 'run', name: hostile('name'), epochs: 1 },
    { type: 'hyperparameters', values: { [hostile('hyperparameter')]: hostile('value'), __proto__: 'x' } },
    { type: 'scalars', ...place, values: { [`${hostile('group')}/${hostile('tag')}`]: 1, constructor: 2 } },
    { type: 'histogram', ...place, tag: hostile('histogram'), value: madeUpHistogram(random, 0, 1) },
    { type: 'images', ...place, tag: hostile('images'), images: [image] },
    { type: 'text', ...place, tag: hostile('text'), text: hostile('content') },
    {
      type: 'confusion',
      ...place,
      labels: [hostile('label'), 'b'],
      counts: [
        [1, 2],
        [3, 4],
      ],
    },
    {
      type: 'examples',
      ...place,
      labels: [hostile('class'), 'b'],
      examples: [{ row: 1, label: 0, predicted: 1, probability: 0.1, image }],
    },
    {
      type: 'graph',
      nodes: [
        { name: hostile('input'), op: hostile('op'), inputs: [], ...node },
        { name: 'layer.0/matmul', op: 'matmul', inputs: [hostile('input')], ...node },
      ],
    },
    {
      type: 'program',
      title: hostile('title'),
      instructions: [
        {
          opcode: hostile('opcode'),
          text: hostile('line'),
          bytes: 8,
          flops: 8,
          microseconds: 1,
          limitMicroseconds: 0.5,
        },
      ],
    },
    { type: 'system', ...place, rss: 1e8, eventLoopDelay: 1, processors: 1, threads: 2 },
    { type: 'end', time: place.time + 1, state: 'failed', message: hostile('message') },
  ]
}
