/** Values that a function may be given and mostly should not be, each with what it is. */
import * as g from '../../../lib/index.ts'
import type { Kind, Parameter } from './surface.ts'

/** `foreign` is what no parameter takes but by the name of its class; `rotten` is an array, or an object, of junk. */
export type JunkKind = Kind | 'symbol' | 'bigint' | 'foreign' | 'rotten'

export interface Junk {
  readonly text: string
  readonly kind: JunkKind
  readonly make: () => unknown
}

/** What the getters and traps of some junk throw: it is the user's own, and passes through. */
export class OwnError extends Error {
  override name = 'OwnError'
}

const fail = (): never => {
  throw new OwnError('of the user')
}

const junk = (kind: JunkKind, made: Readonly<Record<string, () => unknown>>): Junk[] =>
  Object.entries(made).map(([text, make]) => ({ text, kind, make }))

function cyclic(): unknown[] {
  const list: unknown[] = [1]
  list.push(list)
  return list
}

/** Deeper than the call stack. */
function deep(): unknown {
  let list: unknown = 1
  for (let i = 0; i < 20_000; i++) list = [list]
  return list
}

function detached(): Float32Array {
  const array = new Float32Array(4)
  structuredClone(array.buffer, { transfer: [array.buffer] })
  return array
}

export const allJunk: readonly Junk[] = [
  ...junk('undefined', { undefined: () => undefined }),
  ...junk('null', { null: () => null }),
  ...junk('boolean', { true: () => true, false: () => false }),
  ...junk('number', {
    NaN: () => Number.NaN,
    Infinity: () => Infinity,
    '-Infinity': () => -Infinity,
    '-0': () => -0,
    '-1': () => -1,
    '0': () => 0,
    '0.5': () => 0.5,
    '7': () => 7,
    '-9': () => -9,
    '2^31': () => 2 ** 31,
    '2^53': () => 2 ** 53,
    '1e300': () => 1e300,
  }),
  ...junk('string', { "''": () => '', "'x'": () => 'x', "'1'": () => '1', "'__proto__'": () => '__proto__' }),
  ...junk('symbol', { "Symbol('s')": () => Symbol('s'), 'Symbol.iterator': () => Symbol.iterator }),
  ...junk('bigint', { '1n': () => 1n }),
  ...junk('function', {
    '() => undefined': () => () => undefined,
    '() => null': () => () => null,
    '() => 1': () => () => 1,
    '() => "x"': () => () => 'x',
    'x => x': () => (x: unknown) => x,
    'async x => x': () => async (x: unknown) => x,
    '() => Symbol()': () => () => Symbol('s'),
    '() => { throw }': () => fail,
    'class {}': () => class {},
  }),
  ...junk('array', {
    '[]': () => [],
    '[0]': () => [0],
    '[1, 2]': () => [1, 2],
    '[-1]': () => [-1],
    '[NaN]': () => [Number.NaN],
    '[2^31]': () => [2 ** 31],
  }),
  ...junk('rotten', {
    '[[]]': () => [[]],
    "['x']": () => ['x'],
    '[null]': () => [null],
    '[undefined]': () => [undefined],
    '[Symbol()]': () => [Symbol('s')],
    '[1n]': () => [1n],
    '[{}]': () => [{}],
    '[() => 1]': () => [() => 1],
    '[1, [2]]': () => [1, [2]],
    'a sparse array': () => new Array(3),
    'a cyclic array': cyclic,
    'a deep array': deep,
    'an array of null-prototype objects': () => [Object.create(null)],
  }),
  ...junk('object', {
    '{}': () => ({}),
    '{ notAnOption: 1 }': () => ({ notAnOption: 1 }),
    'Object.create(null)': () => Object.create(null),
    '{ length: 3 }': () => ({ length: 3 }),
    'a proxy of a proxy of {}': () => new Proxy(new Proxy({}, {}), {}),
    'an object with a throwing getter': () => Object.defineProperty({}, 'x', { get: fail, enumerable: true }),
    '{ shape: [2], dtype: "float32" }': () => ({ shape: [2], dtype: 'float32' }),
  }),
  ...junk('foreign', {
    'new Date()': () => new Date(0),
    '/x/': () => /x/,
    'new Map()': () => new Map([['x', 1]]),
    'new Set()': () => new Set([1]),
    'a promise': () => Promise.resolve(1),
    'new WeakMap()': () => new WeakMap(),
    'new Boolean(true)': () => new Boolean(true),
    'new Number(1)': () => new Number(1),
    'new String("x")': () => new String('x'),
    'a proxy whose traps throw': () => new Proxy({}, { get: fail, has: fail, ownKeys: fail, getPrototypeOf: fail }),
    'a revoked proxy': () => {
      const { proxy, revoke } = Proxy.revocable({}, {})
      revoke()
      return proxy
    },
    'an object whose toString throws': () =>
      new (class Odd {
        toString = fail;
        [Symbol.toPrimitive] = fail
      })(),
    'an ArrayBuffer': () => new ArrayBuffer(8),
    'a DataView': () => new DataView(new ArrayBuffer(8)),
    'a BigInt64Array': () => new BigInt64Array(2),
    'a detached Float32Array': detached,
    'what only inherits from Tensor': () => Object.create(g.Tensor.prototype),
    globalThis: () => globalThis,
  }),
  ...junk('typed array', {
    'Float32Array [1, 2]': () => Float32Array.of(1, 2),
    'empty Float64Array': () => new Float64Array(0),
    'Uint8Array [1]': () => Uint8Array.of(1),
  }),
  ...junk('tensor', {
    'a scalar': () => g.tensor(1),
    'float32 [2, 3]': () => g.ones([2, 3]),
    'int32 [3]': () => g.tensor([0, 1, 2], { dtype: 'int32' }),
    'bool [2]': () => g.tensor([true, false]),
    'uint8 [2, 2]': () => g.ones([2, 2], { dtype: 'uint8' }),
    'float64 [2]': () => g.ones([2], { dtype: 'float64' }),
    'empty [0]': () => g.zeros([0]),
    'empty [0, 3]': () => g.zeros([0, 3]),
    'NaN [2, 3]': () => g.full([2, 3], Number.NaN),
    'eight axes': () => g.ones([1, 1, 1, 1, 1, 1, 1, 1]),
    'many [1, 2^18]': () => g.zeros([1, 2 ** 18]),
  }),
  ...junk('variable', {
    'a variable': () => g.variable([1, 2]),
    'an int32 variable': () => g.variable([1], { dtype: 'int32' }),
  }),
]

const isAmong = (kinds: ReadonlySet<Kind>, kind: JunkKind): boolean =>
  (kinds as ReadonlySet<string>).has(kind) || (kind === 'variable' && kinds.has('tensor'))

const ofNumbers = /^(readonly )?number\[\]$|^Shape$/

/** Whether the declared type has no such value, so that it has to be refused. */
export function isWrong({ kinds, types }: Pick<Parameter, 'kinds' | 'types'>, { kind, text }: Junk): boolean {
  if (kinds === null) return false
  if (kind === 'rotten') {
    if (!kinds.has('array') || types.some((type) => ofNumbers.test(type))) return true
    return types.includes('readonly TensorValues[]') && text !== '[[]]'
  }
  if (kind === 'foreign') return !types.some((type) => type === 'RegExp' || /^(Map|Set|Promise|ArrayBuffer)/.test(type))
  return !isAmong(kinds, kind)
}
