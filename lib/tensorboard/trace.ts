/** The profile of a program as a trace that TensorBoard, Perfetto and chrome://tracing open. */
import type { InstructionValue } from '../events/record.ts'

/**
 * The trace event format, as JSON: the instructions one after the other, and below each how long the machine needs for it at least.
 */
export function traceText(title: string, instructions: readonly InstructionValue[]): string {
  const [process, thread, limits] = [1, 1, 2]
  const named = (name: string, tid: number, text: string) => ({
    ph: 'M',
    name,
    pid: process,
    tid,
    args: { name: text },
  })
  let start = 0
  const events = instructions.flatMap(({ opcode, text, bytes, flops, microseconds = 0, limitMicroseconds }, i) => {
    const shared = { ph: 'X', name: opcode, cat: 'instruction', pid: process, ts: start }
    const args = { index: i, instruction: text, bytes, flops }
    start += microseconds
    const run = { ...shared, tid: thread, dur: microseconds, args }
    return limitMicroseconds === undefined ? [run] : [run, { ...shared, tid: limits, dur: limitMicroseconds }]
  })
  const names = [
    named('process_name', 0, title),
    named('thread_name', thread, 'instructions'),
    named('thread_name', limits, 'limit of the machine'),
  ]
  return JSON.stringify({ displayTimeUnit: 'ns', traceEvents: [...names, ...events] })
}
