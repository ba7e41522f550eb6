/** Which backend a program runs on: by the rows of the schema, which the addon agrees with. */
import { describe, expect, test } from 'vitest'
import { backendOf } from '../../lib/backend/active.ts'
import { type Opcode, opcodes } from '../../lib/program/instructions.ts'
import type { Program } from '../../lib/program/program.ts'
import { hasNativeKernels } from '../../lib/program/signatures.ts'
import { native } from '../support/backends.ts'
import { opcodeSamples } from '../support/opcode-samples.ts'

function inDoubles(x: unknown): unknown {
  if (x === 'float32') return 'float64'
  // Products of bf16 are of float32 alone.
  if (x === 'bf16') return 'float32'
  if (x instanceof Float32Array) return Float64Array.from(x)
  if (Array.isArray(x)) return x.map(inDoubles)
  if (typeof x !== 'object' || x === null || ArrayBuffer.isView(x)) return x
  return Object.fromEntries(Object.entries(x).map(([key, value]) => [key, inDoubles(value)]))
}

const sampleOf = (opcode: Opcode): Program => inDoubles(opcodeSamples[opcode]) as Program

const ofReference: readonly Opcode[] = [
  'attention',
  'conv2d',
  'maxPooledConv2d',
  'conv2dInputGradient',
  'conv2dWeightGradient',
  'maxPool2d',
  'maxPool2dGradient',
  'attentionGradient',
  'moments',
  'deviationSums',
]

/** A quantizedMatmul takes float32 alone. */
const opcodesOfFloats = opcodes.filter((opcode) => opcode !== 'quantizedMatmul')

describe.skipIf(native === null)('float64', () => {
  test.each(opcodesOfFloats)('%s', (opcode) => {
    const sample = sampleOf(opcode)
    const isNative = !ofReference.includes(opcode)
    expect(hasNativeKernels(sample)).toBe(isNative)
    expect(backendOf(sample).info().backend).toBe(isNative ? 'native' : 'reference')
    if (isNative) native!.prepare(sample).dispose()
    else expect(() => native!.prepare(sample)).toThrow('to be float32, got float64')
  })

  test('a program inside another counts', () => {
    const { values, instructions, ...rest } = opcodeSamples.branch
    const params = { ifTrue: sampleOf('maxPool2d'), ifFalse: sampleOf('maxPool2d') }
    const outside = { ...rest, values, instructions: instructions.map((next) => ({ ...next, params })) } as Program
    expect(hasNativeKernels(outside)).toBe(false)
  })
})
