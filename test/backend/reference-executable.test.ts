import { describe, expect, test } from 'vitest'
import { createReferenceBackend } from '../../lib/backend/reference/index.ts'
import { float } from '../support/malformed-programs.ts'
import { bind, f32, f64, i32, instruction, program, programOf, value } from '../support/run.ts'

const reference = createReferenceBackend()

describe('the executable', () => {
  /** state' = state − rate · gradient */
  const training = program({
    values: [float([2], 'state', 0), float([2], 'input', 0), float([], 'literal', 0), float([2], 'state', 0)],
    instructions: [instruction('sgd', { size: 2 }, [0, 1, 2], [3])],
    literals: [f32(0.5)],
    inputCount: 1,
    stateCount: 1,
  })

  test('a state is updated in place, or from its old buffer into a new one', () => {
    const executable = reference.prepare(training)
    const [inPlace, old, renewed] = [f32(1, 2), f32(1, 2), f32(9, 9)]
    executable.run([f32(2, 4), inPlace, inPlace])
    executable.run([f32(2, 4), old, renewed])
    expect([inPlace, old, renewed]).toEqual([f32(0, 0), f32(1, 2), f32(0, 0)])
  })

  test('runs keep the order of submission, whichever way', async () => {
    const executable = reference.prepare(training)
    const state = f32(0, 0)
    const settled: string[] = []
    const submit = (name: string, g: number) =>
      executable.runAsync([f32(g, g), state, state]).then(() => settled.push(name))
    const first = submit('first', 2)
    const second = submit('second', 4)
    expect(state).toEqual(f32(0, 0))
    executable.run([f32(8, 8), state, state])
    expect(state).toEqual(f32(-7, -7))
    const third = submit('third', 16)
    await Promise.all([first, second, third])
    expect(state).toEqual(f32(-15, -15))
    expect(settled).toEqual(['first', 'second', 'third'])
  })

  test('an async run is a macrotask of its own', async () => {
    const executable = reference.prepare(training)
    const state = f32(0, 0)
    const done = executable.runAsync([f32(2, 2), state, state])
    await Promise.resolve()
    expect(state).toEqual(f32(0, 0))
    await done
    expect(state).toEqual(f32(-1, -1))
  })

  test('drain runs what was submitted', () => {
    const executable = reference.prepare(training)
    const state = f32(0, 0)
    void executable.runAsync([f32(2, 2), state, state])
    reference.drain()
    expect(state).toEqual(f32(-1, -1))
  })

  test('a failure rejects, and the next run goes on', async () => {
    const gather = programOf('gather', { rows: 1, rowSize: 1, count: 1 }, [f32(5), i32(0)], [['float32', 1]])
    const executable = reference.prepare(gather)
    const [bad, good] = [bind(gather, [f32(5), i32(1)]), bind(gather, [f32(5), i32(0)])]
    const failing = executable.runAsync(bad.buffers)
    const working = executable.runAsync(good.buffers)
    await expect(failing).rejects.toThrow(new RangeError('gather: expected indices in [0, 1), got 1 at position 0'))
    await working
    expect(good.results).toEqual([f32(5)])
  })

  test('buffers that do not fit are refused', async () => {
    const executable = reference.prepare(training)
    const state = f32(0, 0)
    expect(() => executable.run([f32(1, 2), state])).toThrow(new TypeError('run: expected 3 buffers, got 2'))
    expect(() => executable.run([f32(1), state, state])).toThrow(
      new TypeError('run: expected float32[2] as buffer 0, got Float32Array of 1'),
    )
    expect(() => executable.run([f32(1, 2), f64(1, 2), state])).toThrow(
      'run: expected float32[2] as buffer 1, got Float64Array of 2',
    )
    const detached = f32(1, 2)
    structuredClone(detached, { transfer: [detached.buffer] })
    expect(() => executable.run([detached, state, state])).toThrow(
      'run: expected float32[2] as buffer 0, got Float32Array of 0',
    )
    await expect(executable.runAsync([detached, state, state])).rejects.toThrow(TypeError)
  })

  test('a disposed executable does not run', () => {
    const executable = reference.prepare(training)
    executable.dispose()
    expect(() => executable.run([f32(1, 2), f32(0, 0), f32(0, 0)])).toThrow('internal: a disposed executable was run')
  })

  test('a malformed program is not prepared', () => {
    expect(() => reference.prepare(program({ values: [value('float32', [2], 'input', 0)] }))).toThrow('one of 0 inputs')
  })

  test('info', () => {
    expect(reference.info()).toEqual({
      backend: 'reference',
      isa: 'javascript',
      supportedIsas: ['javascript'],
      threads: 1,
      threadsFrom: 'reference',
    })
  })
})
