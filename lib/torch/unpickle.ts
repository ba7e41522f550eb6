/**
 * The pickles of `torch.save`, as Python's pickletools defines the instructions of protocols 2 to 5. An instruction either makes plain data or is
 * refused; names are those of a table, and nothing is called but what stands there. What is made is bounded by the
 * number of instructions: there is no nesting of calls, and what is fetched from the memo is the same value, not a copy.
 */
import { DataFormatError, expected } from '../base/errors.ts'
import { stepsPerPiece } from '../base/turns.ts'
import type { Reading } from '../files/source.ts'
import { Callable, type Dictionary, kindOf, type Pickled, shortened, Tuple } from './pickled.ts'

/** The names and references of a pickle that mean something. */
export interface Meaning {
  readonly names: ReadonlyMap<string, Pickled>
  /** What a reference to something outside of the pickle is; undefined where it refers to nothing. */
  persistent(id: readonly Pickled[]): Pickled | undefined
}

const newestProtocol = 5
/** An integer of Python may have any length, those of anybody have 64 bits. */
const mostIntegerBytes = 255

const mostShown = 8

const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true })

/** What a file of fifty thousand tensors has; an instruction of one byte makes what takes some hundred. */
export const mostInstructions = 2 ** 21

/**
 * The value of a pickle.
 * @param file what messages call it
 * @throws DataFormatError for whatever is no pickle of plain data and tensors
 */
export function* unpickle(bytes: Uint8Array, file: string, meaning: Meaning): Reading<Pickled> {
  const machine = new Machine(bytes, file, meaning)
  for (let i = 1; i <= mostInstructions; i++) {
    const opcode = machine.byte()
    if (opcode === stop) return machine.result()
    const step = steps[opcode]
    if (step === undefined) return machine.refuse(opcode)
    step(machine)
    if (i % stepsPerPiece === 0) yield
  }
  return machine.fail(`a pickle of at most ${mostInstructions} instructions`, 'more')
}

const stop = '.'.charCodeAt(0)

type Step = (machine: Machine) => void

/** What is done at each instruction, by its byte, in the order of pickletools. */
const steps: Readonly<Record<number, Step | undefined>> = {
  [code('J')]: (m) => m.push(m.view(4).getInt32(0, true)),
  [code('K')]: (m) => m.push(m.byte()),
  [code('M')]: (m) => m.push(m.view(2).getUint16(0, true)),
  138: (m) => m.push(m.integer(m.byte())),
  139: (m) => m.push(m.integer(m.view(4).getUint32(0, true))),
  [code('C')]: (m) => m.push(m.take(m.byte()).slice()),
  [code('B')]: (m) => m.push(m.take(m.view(4).getUint32(0, true)).slice()),
  142: (m) => m.push(m.take(m.length64()).slice()),
  150: (m) => m.push(m.take(m.length64()).slice()),
  [code('N')]: (m) => m.push(null),
  136: (m) => m.push(true),
  137: (m) => m.push(false),
  [code('X')]: (m) => m.push(m.text(m.view(4).getUint32(0, true))),
  140: (m) => m.push(m.text(m.byte())),
  141: (m) => m.push(m.text(m.length64())),
  [code('G')]: (m) => m.push(m.view(8).getFloat64(0)),
  [code(']')]: (m) => m.push([]),
  [code('a')]: (m) => m.append([m.pop()]),
  [code('e')]: (m) => m.append(m.popToMark()),
  [code(')')]: (m) => m.push(new Tuple([])),
  [code('t')]: (m) => m.push(new Tuple(m.popToMark())),
  133: (m) => m.push(new Tuple(m.popSeveral(1))),
  134: (m) => m.push(new Tuple(m.popSeveral(2))),
  135: (m) => m.push(new Tuple(m.popSeveral(3))),
  [code('}')]: (m) => m.push(new Map()),
  [code('s')]: (m) => m.setItems(m.popSeveral(2)),
  [code('u')]: (m) => m.setItems(m.popToMark()),
  [code('0')]: (m) => m.pop(),
  [code('2')]: (m) => m.push(m.top()),
  [code('(')]: (m) => m.mark(),
  [code('1')]: (m) => m.popToMark(),
  [code('h')]: (m) => m.fetch(m.byte()),
  [code('j')]: (m) => m.fetch(m.view(4).getUint32(0, true)),
  [code('q')]: (m) => m.memoize(m.byte()),
  [code('r')]: (m) => m.memoize(m.view(4).getUint32(0, true)),
  148: (m) => m.memoize(),
  [code('c')]: (m) => m.name(m.line(), m.line()),
  147: (m) => m.name(...m.popTexts()),
  [code('R')]: (m) => m.call(),
  [code('b')]: (m) => m.build(),
  128: (m) => m.protocol(),
  [code('Q')]: (m) => m.refer(),
  // Frames say how much may be read at once.
  149: (m) => m.take(8),
}

function code(letter: string): number {
  return letter.charCodeAt(0)
}

/** What values that are refused are, by the instruction that begins them. */
const refused: Readonly<Record<number, string>> = {
  129: 'an object of a class (NEWOBJ)',
  143: 'a set',
  145: 'a frozenset',
}

class Machine {
  readonly #bytes: Uint8Array
  readonly #file: string
  readonly #meaning: Meaning
  #at = 0
  readonly #stack: Pickled[] = []
  /** Where on the stack the parts begin that are gathered. */
  readonly #marks: number[] = []
  readonly #memo = new Map<number, Pickled>()

  constructor(bytes: Uint8Array, file: string, meaning: Meaning) {
    this.#bytes = bytes
    this.#file = file
    this.#meaning = meaning
  }

  fail(what: string, got: string): never {
    throw new DataFormatError(`${expected('torch', what, got)} (${this.#file}, data.pkl, byte ${this.#at})`)
  }

  refuse(opcode: number): never {
    this.#at--
    return this.fail(
      'a pickle of plain data and tensors',
      refused[opcode] ?? `the instruction 0x${opcode.toString(16).padStart(2, '0')}`,
    )
  }

  take(length: number): Uint8Array {
    const left = this.#bytes.length - this.#at
    if (length > left) return this.fail(`${length} bytes more`, `${left}`)
    this.#at += length
    return this.#bytes.subarray(this.#at - length, this.#at)
  }

  byte(): number {
    return this.take(1)[0]!
  }

  view(length: number): DataView {
    const { buffer, byteOffset } = this.take(length)
    return new DataView(buffer, byteOffset, length)
  }

  length64(): number {
    return Number(this.view(8).getBigUint64(0, true))
  }

  text(length: number): string {
    const bytes = this.take(length)
    try {
      return text.decode(bytes)
    } catch {
      return this.fail('a text in UTF-8', 'other bytes')
    }
  }

  /** Up to the end of a line, which is not part of it. */
  line(): string {
    const end = this.#bytes.indexOf(0x0a, this.#at)
    if (end < 0) return this.fail('a name and the end of its line', 'no end')
    const line = this.text(end - this.#at)
    this.#at++
    return line
  }

  /** In two's complement, its low byte first. */
  integer(length: number): number | bigint {
    if (length > mostIntegerBytes) return this.fail(`integers of at most ${mostIntegerBytes} bytes`, `${length}`)
    const digits = Buffer.from(this.take(length)).reverse().toString('hex')
    const signed = BigInt.asIntN(8 * length, BigInt(`0x0${digits}`))
    const number = Number(signed)
    return Number.isSafeInteger(number) ? number : signed
  }

  push(value: Pickled): void {
    this.#stack.push(value)
  }

  /** Values before a mark are not there for what comes after it. */
  popSeveral(count: number): Pickled[] {
    const least = this.#marks.at(-1) ?? 0
    if (this.#stack.length - count < least) this.fail('a value on the stack', 'none')
    return this.#stack.splice(this.#stack.length - count)
  }

  pop(): Pickled {
    return this.popSeveral(1)[0]!
  }

  top(): Pickled {
    const value = this.pop()
    this.push(value)
    return value
  }

  mark(): void {
    this.#marks.push(this.#stack.length)
  }

  popToMark(): Pickled[] {
    const start = this.#marks.pop() ?? this.fail('a mark on the stack', 'none')
    return this.#stack.splice(start)
  }

  popTexts(): [string, string] {
    const [module, name] = this.popSeveral(2)
    if (typeof module !== 'string' || typeof name !== 'string')
      return this.fail('a name as two texts', `${kindOf(module)} and ${kindOf(name)}`)
    return [module, name]
  }

  append(items: readonly Pickled[]): void {
    const list = this.top()
    if (!Array.isArray(list)) this.fail('a list to append to', kindOf(list))
    for (const item of items) list.push(item)
  }

  setItems(items: readonly Pickled[]): void {
    const dictionary = this.top()
    if (!(dictionary instanceof Map)) this.fail('a dictionary to put items into', kindOf(dictionary))
    if (items.length % 2 !== 0) this.fail('pairs of a key and a value', `${items.length} values`)
    for (let i = 0; i < items.length; i += 2) this.#setItem(dictionary, items[i]!, items[i + 1]!)
  }

  #setItem(dictionary: Dictionary, key: Pickled, value: Pickled): void {
    if (typeof key !== 'string' && !Number.isSafeInteger(key))
      this.fail('texts and integers as keys of dictionaries', kindOf(key))
    const name = String(key)
    if (dictionary.has(name)) this.fail('each key of a dictionary once', `two ${kindOf(name)}`)
    if (name === '__proto__') this.fail('keys other than __proto__', 'it')
    dictionary.set(name, value)
  }

  memoize(place = this.#memo.size): void {
    this.#memo.set(place, this.top())
  }

  fetch(place: number): void {
    const value = this.#memo.get(place)
    this.push(value === undefined ? this.fail('a value in the memo', `place ${place}, which has none`) : value)
  }

  name(module: string, name: string): void {
    const full = `${module}.${name}`
    const value = this.#meaning.names.get(full)
    if (value === undefined)
      this.fail(
        'names of tensors and plain data alone, as nothing in a file is executed',
        `${shortened(full)}: in Python, torch.save(model.state_dict(), f) writes what can be read`,
      )
    this.push(value)
  }

  call(): void {
    const [callable, args] = this.popSeveral(2)
    if (!(callable instanceof Callable)) this.fail('something to call', kindOf(callable))
    if (!(args instanceof Tuple)) this.fail(`a tuple of arguments of ${callable.name}`, kindOf(args))
    const result = callable.call(args.items)
    if (result === undefined)
      this.fail(
        `the arguments of ${callable.name}`,
        `(${shortened(args.items.slice(0, mostShown).map(kindOf).join(', '))})`,
      )
    this.push(result)
  }

  /** Attributes that are not part of a dictionary: a `state_dict` has the versions of its modules there. */
  build(): void {
    this.pop()
    const object = this.top()
    if (!(object instanceof Map)) this.fail('attributes of a dictionary', `those of ${kindOf(object)}`)
  }

  protocol(): void {
    const version = this.byte()
    if (version > newestProtocol) this.fail(`a pickle of at most protocol ${newestProtocol}`, `${version}`)
  }

  refer(): void {
    const id = this.pop()
    const found = id instanceof Tuple ? this.#meaning.persistent(id.items) : undefined
    this.push(found === undefined ? this.fail('a reference to a storage', kindOf(id)) : found)
  }

  result(): Pickled {
    if (this.#stack.length !== 1 || this.#marks.length > 0)
      this.fail('one value at the end', `${this.#stack.length} and ${this.#marks.length} marks`)
    return this.#stack[0]!
  }
}
