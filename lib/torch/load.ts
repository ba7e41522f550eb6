/** What `torch.save` of Python wrote, as plain data with tensors in it. */
import { checkList, checkText } from '../base/arguments.ts'
import { expected } from '../base/errors.ts'
import { checkOptions, type OptionTypes } from '../base/options.ts'
import type { LoadOptions } from '../files/safetensors.ts'
import { openSource, openSourceSync, type PathOrBytes, readIn, readInSync } from '../files/source.ts'
import { type LoadDType, loadDTypes } from '../files/stored.ts'
import type { StateDict } from '../tensor/state-dict.ts'
import { evaluate, evaluateSync, type Tensor } from '../tensor/tensor.ts'
import { type Archive, readArchive } from './archive.ts'
import { plainOf } from './plain.ts'
import { checkTensors, type Found, readStrided } from './strided.ts'

const loadOptions: OptionTypes<LoadOptions> = { dtype: loadDTypes, names: 'other' }

/**
 * What `torch.save` of PyTorch wrote as a `.pt` or `.pth` file, or bytes of one: a `state_dict` as tensors by name, which `model.loadStateDict` takes, or whatever
 * a checkpoint is, with dictionaries as objects, lists and tuples as arrays, dtypes and devices as texts, and integers beyond 2⁵³ as bigints. Half, bfloat16 and
 * double become float32, int64 and the other integers int32, uint8 and bool stay, unless `dtype` says another. Nothing in the file is
 * executed: what is not plain data or a tensor, such as a whole model, is refused by its name.
 *
 * PyTorch calls it `torch.load` with `weights_only=True`.
 *
 * @param options `names` are paths of tensors, with the keys that lead to one joined by dots: `model.fc.weight`, or `model` for all in it; the others are not read, and
 * are left out of dictionaries, and null in lists
 * @returns what the type parameter says, which is not checked; tensors by name unless given
 * @throws (rejects with) DataFormatError for what is no such file, is a TorchScript archive or of the form before PyTorch 1.6, or has other
 * names in it; RangeError for integers that the dtype does not hold, and names that are not there; Error with the `code` of the file system
 *
 * @example
 * model.loadStateDict(await torch.load('resnet18.pth'))
 * const { model: weights, epoch } = await torch.load<{ model: StateDict; epoch: number }>('checkpoint.pt')
 */
export async function load<T = StateDict>(from: PathOrBytes, options?: LoadOptions, ...surplus: unknown[]): Promise<T> {
  const { dtype, names } = checkLoad('torch.load', options, surplus)
  const source = await openSource('torch.load', from)
  try {
    const archive = await readIn(source, readArchive(source.name, source.size))
    const tensors = new Map<string, Tensor>()
    for (const found of tensorsIn('torch.load', archive, source.size, names)) {
      const value = await readIn(source, readStrided('torch.load', archive, found, dtype))
      tensors.set(found.tensor.place, ...(await evaluate(value)))
    }
    return plainOf(archive, (tensor, path) => (isWanted(path, names) ? tensors.get(tensor.place) : undefined)) as T
  } finally {
    await source.close()
  }
}

/** `load`, here and now. */
export function loadSync<T = StateDict>(from: PathOrBytes, options?: LoadOptions, ...surplus: unknown[]): T {
  const { dtype, names } = checkLoad('torch.loadSync', options, surplus)
  const source = openSourceSync('torch.loadSync', from)
  try {
    const archive = readInSync(source, readArchive(source.name, source.size))
    const tensors = new Map<string, Tensor>()
    for (const found of tensorsIn('torch.loadSync', archive, source.size, names)) {
      const value = readInSync(source, readStrided('torch.loadSync', archive, found, dtype))
      tensors.set(found.tensor.place, ...evaluateSync(value))
    }
    return plainOf(archive, (tensor, path) => (isWanted(path, names) ? tensors.get(tensor.place) : undefined)) as T
  } finally {
    source.close()
  }
}

type Names = readonly string[] | undefined

interface Loading {
  readonly dtype: LoadDType | undefined
  readonly names: Names
}

function checkLoad(op: string, options: LoadOptions | undefined, surplus: readonly unknown[]): Loading {
  const { dtype, names } = checkOptions(op, options, loadOptions, surplus)
  if (names === undefined) return { dtype, names }
  const list = checkList(op, 'a list of names', names)
  return { dtype, names: list.map((name) => checkText(op, 'texts as names', name)) }
}

const leadsTo = (name: string, path: string): boolean => path === name || path.startsWith(`${name}.`)

const isWanted = (path: string, names: Names): boolean =>
  names === undefined || names.some((name) => leadsTo(name, path))

/** Each tensor that is asked for once, in the order in which they are met. */
function tensorsIn(op: string, archive: Archive, size: number, names: Names): Found[] {
  const found = new Map<string, Found>()
  const missing = new Set(names)
  plainOf(archive, (tensor, path) => {
    if (!isWanted(path, names)) return undefined
    for (const name of missing) if (leadsTo(name, path)) missing.delete(name)
    if (!found.has(tensor.place)) found.set(tensor.place, { tensor, path })
    return undefined
  })
  if (missing.size > 0)
    throw new RangeError(
      `${expected(op, 'names of tensors in the file', `${[...missing].join(', ')}, which it has not`)} (${archive.file})`,
    )
  checkTensors(archive.file, size, found.values())
  return [...found.values()]
}
