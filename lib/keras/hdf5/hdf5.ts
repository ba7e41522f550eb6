/**
 * HDF5 files as the HDF Group's format specification 3.0 (https://support.hdfgroup.org/documentation/hdf5/latest/_f_m_t3.html) defines
 * them, as far as h5py writes them for Keras: groups of both kinds, data sets without filters, and attributes of texts.
 */
import type { StoredName } from '../../files/stored.ts'
import { type Attribute, readAttribute } from './attributes.ts'
import { Bytes } from './bytes.ts'
import { readDataspace, readDatatype } from './datatype.ts'
import { readLinks } from './links.ts'
import { type Message, messageTypes, readMessages } from './object-header.ts'

/** The elements of a data set as they are in the file. */
export interface Elements {
  readonly shape: readonly number[]
  readonly type: StoredName
  readonly bytes: Uint8Array
}

const signature = [0x89, 0x48, 0x44, 0x46, 0x0d, 0x0a, 0x1a, 0x0a]
const mostRank = 32

export const isHdf5 = (bytes: Uint8Array): boolean => signature.every((byte, i) => bytes[i] === byte)

/** A group or a data set. */
export class Hdf5Object {
  readonly #file: Bytes
  readonly #messages: readonly Message[]
  #links: Map<string, number> | undefined
  #attributes: Map<string, Attribute> | undefined
  readonly #children = new Map<string, Hdf5Object>()

  /** The object whose header is at a place; `path` is what messages call it. */
  constructor(
    file: Bytes,
    at: number,
    readonly path: string,
  ) {
    this.#file = file
    this.#messages = readMessages(file, at)
  }

  /** The names of the objects in a group. */
  get names(): string[] {
    return [...this.#linksOnce().keys()]
  }

  /** The object of a name, or undefined. */
  child(name: string): Hdf5Object | undefined {
    const known = this.#children.get(name)
    const at = this.#linksOnce().get(name)
    if (known !== undefined || at === undefined) return known
    const child = new Hdf5Object(this.#file, at, this.path === '' ? name : `${this.path}/${name}`)
    this.#children.set(name, child)
    return child
  }

  /** The object that names lead to, one in the other. */
  at(...names: readonly string[]): Hdf5Object | undefined {
    return names.reduce<Hdf5Object | undefined>((object, name) => object?.child(name), this)
  }

  /** The value of an attribute, or undefined. */
  attribute(name: string): Attribute | undefined {
    this.#attributes ??= new Map(
      this.#messagesOf(messageTypes.attribute).map(({ at }) => readAttribute(this.#file, at)),
    )
    const value = this.#attributes.get(name)
    if (value === undefined) this.#checkNoDenseAttributes()
    return value
  }

  /** Whether it is a data set. */
  get hasElements(): boolean {
    return this.#messagesOf(messageTypes.layout).length > 0
  }

  /** The elements of a data set. */
  read(): Elements {
    const file = this.#file
    const [space, type, layout] = ['dataspace', 'datatype', 'layout'].map(
      (name) => this.#messagesOf(messageTypes[name as keyof typeof messageTypes])[0]?.at,
    )
    if (space === undefined || type === undefined || layout === undefined)
      return file.fail(`${this.path} to be a data set`, 'something else')
    if (this.#messagesOf(messageTypes.filters).length > 0) file.fail(`${this.path} without filters`, 'compressed data')
    const shape = readDataspace(file, space)
    if (shape.length > mostRank) file.fail(`at most ${mostRank} axes of ${this.path}`, String(shape.length))
    const elements = readDatatype(file, type)
    if (elements.kind !== 'numbers') return file.fail(`${this.path} of numbers`, 'texts')
    const size = shape.reduce((product, extent) => product * extent, elements.size)
    return { shape, type: elements.type, bytes: bytesAt(file, layout, size, this.path) }
  }

  fail(what: string, got: string): never {
    return this.#file.fail(what, got)
  }

  #messagesOf(type: number): readonly Message[] {
    return this.#messages.filter((message) => message.type === type)
  }

  #linksOnce(): Map<string, number> {
    this.#links ??= readLinks(this.#file, this.#messages)
    return this.#links
  }

  /** Many or long attributes of a newer file stand elsewhere; Keras writes none. */
  #checkNoDenseAttributes(): void {
    for (const { at } of this.#messagesOf(messageTypes.attributeInfo)) {
      const flags = this.#file.uint8(at + 1)
      if (this.#file.address(at + 2 + (flags & 1 ? 2 : 0)) !== null)
        this.#file.fail(`the attributes of ${this.path || 'the file'} in its header`, 'a heap of them')
    }
  }
}

/** The bytes of a data set that stands in one piece, in the file or in the header itself. */
function bytesAt(file: Bytes, layout: number, size: number, path: string): Uint8Array {
  const [version, kind] = [file.uint8(layout), file.uint8(layout + 1)]
  if (version !== 3 && version !== 4) file.fail('a layout of version 3 or 4', String(version))
  if (kind === 2) file.fail(`${path} in one piece`, 'chunks')
  const [at, found] =
    kind === 0 ? [layout + 4, file.uint16(layout + 2)] : [file.address(layout + 2), file.uint64(layout + 10)]
  if (size === 0) return new Uint8Array(0)
  if (at === null || found !== size) return file.fail(`${size} bytes of ${path}`, at === null ? 'none' : `${found}`)
  return file.slice(at, size)
}

/**
 * The root of a file.
 * @throws DataFormatError for what is no HDF5 file, here and wherever something is read that is not as it has to be
 */
export function openHdf5(name: string, bytes: Uint8Array): Hdf5Object {
  const file = new Bytes(name, bytes)
  if (!isHdf5(bytes)) file.fail('an HDF5 file', bytes.length < 8 ? `${bytes.length} bytes` : 'something else')
  const version = file.uint8(8)
  if (version > 3) file.fail('a superblock of version 0 to 3', String(version))
  const isOld = version < 2
  const [offsetBytes, lengthBytes] = [file.uint8(isOld ? 13 : 9), file.uint8(isOld ? 14 : 10)]
  if (offsetBytes !== 8 || lengthBytes !== 8) file.fail('addresses of 8 bytes', `${offsetBytes}`)
  const base = isOld ? (version === 0 ? 24 : 28) : 12
  if (file.uint64(base) !== 0) file.fail('a file that begins at 0', String(file.uint64(base)))
  if (file.uint64(base + 16) > file.size) file.fail(`a file of ${file.uint64(base + 16)} bytes`, `one of ${file.size}`)
  return new Hdf5Object(file, file.uint64(isOld ? base + 40 : base + 24), '')
}
