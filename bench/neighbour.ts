/**
 * What a training step costs while another process takes one of the processors (Linux, by taskset), over what it costs
 * alone: the median of bursts of a quarter of a second, in turn. On a machine that is busy anyway the figures say nothing.
 */
import { type ChildProcess, spawn } from 'node:child_process'
import { availableParallelism } from 'node:os'
import { printTable } from './harness.ts'
import { trainingStep } from './train.ts'

const bursts = 9
const milliseconds = 250

/** The mean time of a step, in microseconds. */
function burst(step: () => unknown): number {
  step()
  const begin = performance.now()
  let steps = 0
  for (; performance.now() - begin < milliseconds; steps++) step()
  return (1000 * (performance.now() - begin)) / steps
}

const median = (times: readonly number[]): number => times.toSorted((a, b) => a - b)[times.length >> 1]!

function measure(step: () => unknown, neighbours: readonly ChildProcess[]) {
  const [alone, beside]: [number[], number[]] = [[], []]
  for (let i = 0; i < bursts; i++) {
    alone.push(burst(step))
    const neighbour = neighbours[i % neighbours.length]!
    neighbour.kill('SIGCONT')
    beside.push(burst(step))
    neighbour.kill('SIGSTOP')
  }
  return { 'µs alone': median(alone), 'µs beside': median(beside), ratio: median(beside) / median(alone) }
}

export async function benchNeighbour(): Promise<void> {
  const neighbours = Array.from({ length: availableParallelism() }, (_, processor) =>
    spawn('taskset', ['-c', String(processor), 'sh', '-c', 'kill -STOP $$; while :; do :; done']),
  )
  await new Promise((resolve) => setTimeout(resolve, 200))
  const rows = [128, 1024].map((batch) => ({ batch, ...measure(trainingStep(batch).sync, neighbours) }))
  for (const neighbour of neighbours) neighbour.kill('SIGKILL')
  printTable('a training step beside a busy process, MLP 784-256-128-10, Adam', rows)
}
