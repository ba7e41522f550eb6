/** Files are there whole or not at all. */
import { execFileSync, spawnSync } from 'node:child_process'
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs'
import { join } from 'node:path'
import { expect, onTestFinished, test } from 'vitest'
import { isTemporaryName, removeLeftovers, writeAtomically, writeAtomicallySync } from '../../lib/files/atomic.ts'
import { temporaryFolder } from './files.ts'

const bytes = (text: string) => new Uint8Array(Buffer.from(text))

async function* later(...chunks: (string | Error)[]) {
  yield* now(...chunks)
}

function* now(...chunks: (string | Error)[]) {
  for (const chunk of chunks) {
    if (chunk instanceof Error) throw chunk
    yield bytes(chunk)
  }
}

/** Both ways, with chunks of which one may be an error that their maker throws. */
const ways: readonly [string, (path: string, ...chunks: (string | Error)[]) => Promise<void>][] = [
  ['async', (path, ...chunks) => writeAtomically('save', path, later(...chunks))],
  ['sync', async (path, ...chunks) => writeAtomicallySync('save', path, now(...chunks))],
]

test.each(ways)('a file is written over, %s', async (_, write) => {
  const path = join(temporaryFolder(), 'file')
  await write(path, 'old', ' and longer')
  expect(readFileSync(path, 'utf8')).toBe('old and longer')
  chmodSync(path, 0o600)
  await write(path, 'new')
  expect(readFileSync(path, 'utf8')).toBe('new')
  if (process.platform !== 'win32') expect(statSync(path).mode & 0o777).toBe(0o600)
  expect(readdirSync(join(path, '..'))).toEqual(['file'])
})

test.each(ways)('what fails leaves the old file and no other, %s', async (_, write) => {
  const folder = temporaryFolder()
  const path = join(folder, 'file')
  await write(path, 'old')
  await expect(write(path, 'half', new Error('of the chunks'))).rejects.toThrow('of the chunks')
  mkdirSync(join(folder, 'folder', 'inside'), { recursive: true })
  await expect(write(join(folder, 'folder'), 'x')).rejects.toThrow(/^save: cannot write .*folder: E/)
  await expect(write(join(folder, 'none', 'x'), 'x')).rejects.toMatchObject({ code: 'ENOENT' })
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(readdirSync(folder).sort()).toEqual(['file', 'folder'])
})

test.each(ways)('a link stays one, %s', async (_, write) => {
  const folder = temporaryFolder()
  writeFileSync(join(folder, 'file'), 'old')
  symlinkSync('file', join(folder, 'link'))
  await write(join(folder, 'link'), 'new')
  expect(readlinkSync(join(folder, 'link'))).toBe('file')
  expect(readFileSync(join(folder, 'file'), 'utf8')).toBe('new')
})

test.each(ways)('what is no file is not replaced by one, %s', async (_, write) => {
  const folder = temporaryFolder()
  const pipe = join(folder, 'pipe')
  const isMade = spawnSync('mkfifo', [pipe]).status === 0
  if (isMade) {
    await expect(write(pipe, 'x')).rejects.toThrow(/^save: expected .*pipe to be a file, got something else/)
    expect(statSync(pipe).isFIFO()).toBe(true)
  }
  expect(readdirSync(folder)).toEqual(isMade ? ['pipe'] : [])
})

test('a reader never sees a part, while writers race', async () => {
  const path = join(temporaryFolder(), 'file')
  const contents = ['a', 'b', 'c'].map((letter) => letter.repeat(100_000))
  await Promise.all(
    contents.map(async (content) => {
      for (let i = 0; i < 5; i++) {
        await writeAtomically('save', path, later(content.slice(0, 50_000), content.slice(50_000)))
        expect(contents).toContain(readFileSync(path, 'utf8'))
      }
    }),
  )
  expect(readdirSync(join(path, '..'))).toEqual(['file'])
})

test('what a killed process leaves is known by its name, and removed', async () => {
  const folder = temporaryFolder()
  const path = join(folder, 'file')
  const script = `
    import { writeAtomically } from ${JSON.stringify(new URL('../../lib/files/atomic.ts', import.meta.url).href)}
    const chunks = async function* () { yield new Uint8Array(9); process.kill(process.pid, 'SIGKILL'); yield new Uint8Array(9) }
    await writeAtomically('save', ${JSON.stringify(path)}, chunks())`
  writeFileSync(path, 'old')
  spawnSync(process.execPath, ['--import', 'tsx', '--input-type=module', '-e', script], { encoding: 'utf8' })
  const left = readdirSync(folder).filter((name) => name !== 'file')
  expect(left).toHaveLength(1)
  expect(left.every(isTemporaryName)).toBe(true)
  expect(isTemporaryName('file')).toBe(false)
  await removeLeftovers(folder)
  expect(readdirSync(folder)).toEqual(['file'])
  expect(readFileSync(path, 'utf8')).toBe('old')
})

/** A file system of 64 KiB, where the process may make one. */
function smallDisk(): string | undefined {
  const folder = temporaryFolder()
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=64k', 'none', folder], { stdio: 'ignore' })
  } catch {
    return undefined
  }
  onTestFinished(() => void execFileSync('umount', [folder]))
  return folder
}

test.for(ways)('a full disk leaves the old file, %s', async ([, write], { skip }) => {
  const folder = smallDisk() ?? skip('only root makes file systems')
  const path = join(folder, 'file')
  await write(path, 'old')
  const error = await write(path, 'x'.repeat(40_000), 'x'.repeat(40_000)).catch((error) => error)
  expect(error).toMatchObject({ code: 'ENOSPC' })
  expect(error.message).toMatch(/^save: cannot write .*file: ENOSPC/)
  expect(readFileSync(path, 'utf8')).toBe('old')
  expect(readdirSync(folder)).toEqual(['file'])
})
