/** How preparations get to see the data that they are fitted to. */
import { checkFunction, describe } from '../../base/arguments.ts'
import { expected } from '../../base/errors.ts'
import { Tensor } from '../../tensor/tensor.ts'
import { type Batch, Dataset, fromTensors } from '../dataset.ts'
import { Stream } from '../stream.ts'

/** A tensor of rows, a data set, or a stream of batches or of elements that can be batched. */
export type Observed = Tensor | Dataset<Batch, Batch | undefined, Batch | undefined> | Stream<unknown>

/** Of a batch, x alone or x and y, what is to be seen; x unless given. */
// biome-ignore lint/suspicious/noExplicitAny: what a batch is made of, the data say
export type Select<T> = (...parts: any[]) => T

const rowsAtOnce = 256

function batchesOf(op: string, data: Observed): Stream<unknown> {
  if (data instanceof Stream) return data.batched ? data : data.batch(rowsAtOnce)
  if (data instanceof Dataset) return data.stream({ seed: 0 }).batch(rowsAtOnce)
  if (data instanceof Tensor) return fromTensors(data).stream({ seed: 0 }).batch(rowsAtOnce)
  throw new TypeError(expected(op, 'a tensor, a data set or a stream', describe(data)))
}

/** Goes through all data once, batch by batch; the event loop turns. */
export async function observe<T>(
  op: string,
  data: Observed,
  select: Select<T> | undefined,
  see: (part: T) => Promise<void> | void,
): Promise<void> {
  if (select !== undefined) checkFunction(op, 'a function of a batch that says what to see', select)
  for await (const batch of batchesOf(op, data).open()) {
    const parts = Array.isArray(batch) ? batch : [batch]
    await see(select === undefined ? (parts[0] as T) : select(...parts))
  }
}
