/** Pickles as `torch.save` writes them, of protocol 2: plain data, and tensors that are in files of the archive of their own. */
import { describe } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { isPlainObject } from '../base/options.ts'
import { denseStrides, type Shape } from '../base/shape.ts'
import { isWellFormed } from '../files/json.ts'
import type { StoredName } from '../files/stored.ts'
import { Tensor } from '../tensor/tensor.ts'
import { storageTypes } from './names.ts'

/** What is written of a tensor. */
export interface StoredTensor {
  readonly type: StoredName
  readonly shape: Shape
  readonly size: number
  /** The name of its storage. */
  readonly key: string
}

const deepest = 100

/**
 * The pickle of a value.
 * @param store gives the storage of each tensor
 * @throws TypeError for what is no plain data, with the keys that lead to it
 */
export function pickle(op: string, value: unknown, store: (tensor: Tensor) => StoredTensor): Uint8Array {
  const parts: Uint8Array[] = [Uint8Array.of(0x80, 2)]
  const put = (...bytes: (number | string | Uint8Array)[]) => {
    for (const each of bytes)
      parts.push(
        typeof each === 'number' ? Uint8Array.of(each) : typeof each === 'string' ? Buffer.from(each, 'latin1') : each,
      )
  }
  const fail = (path: string, got: string): never => {
    throw new TypeError(expected(op, `tensors and plain data at ${path || 'the top'}`, got))
  }

  function write(value: unknown, path: string, depth: number): void {
    if (depth > deepest) fail(path, `more than ${deepest} lists and objects in each other`)
    const inside = (part: unknown, key: string | number) =>
      write(part, path === '' ? String(key) : `${path}.${key}`, depth + 1)
    if (value === null) put('N')
    else if (typeof value === 'boolean') put(value ? 0x88 : 0x89)
    else if (typeof value === 'number' || typeof value === 'bigint') put(numberAs(value))
    else if (typeof value === 'string') put(isWellFormed(value) ? textAs(value) : fail(path, describe(value)))
    else if (value instanceof Tensor) put(tensorAs(store(value)))
    else if (Array.isArray(value)) {
      put('](')
      for (const [i, item] of value.entries()) inside(item, i)
      put('e')
    } else if (isPlainObject(value)) {
      put('}(')
      for (const [key, part] of Object.entries(value)) {
        put(isWellFormed(key) ? textAs(key) : fail(path, describe(key)))
        inside(part, key)
      }
      put('u')
    } else fail(path, describe(value))
  }
  write(value, '', 0)
  put('.')
  return Buffer.concat(parts)
}

function textAs(text: string): Uint8Array {
  const utf8 = Buffer.from(text)
  const head = Buffer.alloc(5, 'X')
  head.writeUInt32LE(utf8.length, 1)
  return Buffer.concat([head, utf8])
}

/** Integers of Python, or its floats. */
function numberAs(value: number | bigint): Uint8Array {
  if (typeof value === 'bigint' || (Number.isSafeInteger(value) && !Object.is(value, -0)))
    return integerAs(BigInt(value))
  const bytes = Buffer.alloc(9, 'G')
  bytes.writeDoubleBE(value, 1)
  return bytes
}

const longestInteger = 255

/** As few bytes in two's complement as hold it, the low one first. */
function integerAs(value: bigint): Uint8Array {
  const bytes: number[] = []
  for (let rest = value; ; rest >>= 8n) {
    bytes.push(Number(rest & 255n))
    if (BigInt.asIntN(8, rest) === rest) break
  }
  if (bytes.length > longestInteger)
    throw new RangeError(`torch.save: expected integers of at most ${longestInteger} bytes`)
  return Uint8Array.of(0x8a, bytes.length, ...bytes)
}

const classes = new Map<StoredName, string>(Object.entries(storageTypes).map(([name, type]) => [type, name]))

const tupleOf = (...items: Uint8Array[]): Uint8Array => Buffer.concat([Buffer.from('('), ...items, Buffer.from('t')])

const nameAs = (module: string, name: string): Uint8Array => Buffer.from(`c${module}\n${name}\n`)

function tensorAs({ type, shape, size, key }: StoredTensor): Uint8Array {
  const storage = tupleOf(
    textAs('storage'),
    nameAs('torch', classes.get(type)!),
    textAs(key),
    textAs('cpu'),
    numberAs(size),
  )
  const counts = (list: Shape) => tupleOf(...list.map(numberAs))
  const hooks = Buffer.concat([nameAs('collections', 'OrderedDict'), Buffer.from(')R')])
  const args = [numberAs(0), counts(shape), counts(denseStrides(shape)), Uint8Array.of(0x89), hooks]
  return Buffer.concat([
    nameAs('torch._utils', '_rebuild_tensor_v2'),
    tupleOf(Buffer.concat([storage, Buffer.from('Q')]), ...args),
    Buffer.from('R'),
  ])
}
