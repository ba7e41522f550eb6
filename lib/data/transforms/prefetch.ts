/** Elements that are made ready while those before them are used. */
import { over, type Stage } from '../stage.ts'
import { ahead } from './ahead.ts'

const asItIs = async <T>(value: T): Promise<T> => value

export const prefetch = <T>(parent: Stage<T>, count: number): Stage<T> =>
  over(parent, {
    name: `prefetch(${count})`,
    open: (pass, position) => ahead(parent.open(pass, position), count, asItIs),
  })
