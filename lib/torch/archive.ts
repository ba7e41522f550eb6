/**
 * The zip form of `torch.save`, since PyTorch 1.6: a folder with `data.pkl`, a file `data/<key>` for each storage, `version` and, since 2.1, `byteorder`.
 * It is read by position, and nothing of it is executed.
 */
import { DataFormatError, expected } from '../base/errors.ts'
import type { Reading, Span } from '../files/source.ts'
import { type Member, readDirectory, readStoredSpan } from '../files/zip.ts'
import { meaning } from './names.ts'
import type { Pickled } from './pickled.ts'
import { unpickle } from './unpickle.ts'

/** What a file says. */
export interface Archive {
  readonly file: string
  readonly value: Pickled
  readonly bigEndian: boolean
  /** Where the bytes of a storage are, by its key. */
  storage(key: string): Reading<Span>
}

/** Of a pickle that has numbers and texts beside tensors; it is held in memory. */
const mostPickleBytes = 2 ** 27
/** What PyTorch itself reads, `kMaxSupportedFileFormatVersion`. */
const newestVersion = 10

type Fail = (what: string, got: string) => never

const failure =
  (file: string): Fail =>
  (what, got) => {
    throw new DataFormatError(`${expected('torch', what, got)} (${file})`)
  }

/**
 * The checked pickle of a file of `size` bytes, and where its storages are.
 * @throws DataFormatError for whatever is not as the format says
 */
export function* readArchive(file: string, size: number): Reading<Archive> {
  const fail = failure(file)
  yield* refuseOtherForms(size, fail)
  const members = yield* readDirectory(file, size)
  const folder = folderOf(members, fail)
  const byName = new Map(members.map((member) => [member.name, member]))
  const spans = new Map<string, Span>()

  function* span(name: string): Reading<Span> {
    const member = byName.get(`${folder}/${name}`) ?? fail(`${folder}/${name} in the archive`, 'none')
    const found = spans.get(name) ?? (yield* readStoredSpan(file, size, member))
    spans.set(name, found)
    return found
  }
  const text = function* (name: string, most: number): Reading<string> {
    const [start, end] = yield* span(name)
    if (end - start > most) fail(`${folder}/${name} of at most ${most} bytes`, `${end - start}`)
    return Buffer.from(yield [start, end])
      .toString('latin1')
      .trim()
  }

  const version = yield* text('version', 20)
  if (!/^\d+$/.test(version) || Number(version) > newestVersion)
    fail(`a version up to ${newestVersion}`, JSON.stringify(version))
  const order = byName.has(`${folder}/byteorder`) ? yield* text('byteorder', 20) : 'little'
  if (order !== 'little' && order !== 'big') fail('a byteorder of little or big', JSON.stringify(order))
  const [start, end] = yield* span('data.pkl')
  if (end - start > mostPickleBytes) fail(`data.pkl of at most ${mostPickleBytes} bytes`, `${end - start}`)
  const value = yield* unpickle(yield [start, end], file, meaning)
  return { file, value, bigEndian: order === 'big', storage: (key) => span(`data/${key}`) }
}

/** What PyTorch wrote before 1.6, and still does where it is asked to. */
function* refuseOtherForms(size: number, fail: Fail): Reading<void> {
  const first = Buffer.from(yield [0, Math.min(size, 265)])
  const isPickle = first[0] === 0x80 && first[1]! <= 5
  if (isPickle || first.toString('latin1', 257, 262) === 'ustar')
    fail('the zip form of torch.save', 'the legacy form: in Python, torch.save(torch.load(f), f) makes it one')
  if (first.toString('latin1', 0, 2) !== 'PK') fail('a zip file, as torch.save writes', 'another one')
}

/** The folder that all is in, which is called by the first name of the file. */
function folderOf(members: readonly Member[], fail: Fail): string {
  const names = members.map(({ name }) => name)
  if (names.some((name) => /^[^/]+\/constants\.pkl$/.test(name)))
    fail(
      'a file of torch.save',
      'a TorchScript archive, which is a program: in Python, torch.save(torch.jit.load(f).state_dict(), f) has its tensors',
    )
  const folders = names.flatMap((name) => /^([^/]+)\/data\.pkl$/.exec(name)?.[1] ?? [])
  if (folders.length !== 1) fail('one data.pkl in a folder', `${folders.length}`)
  return folders[0]!
}
