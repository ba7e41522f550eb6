/** What a library's headers say, of real files and of made ones that are damaged or hostile; and what an addon is chosen by. */
import fc from 'fast-check'
import { describe, expect, test } from 'vitest'
import { type Bytes, headerOf, mismatchOf, withBytes } from '../../lib/backend/library-file.ts'
import { glibcVersion, type Libc, libcAmong, prebuiltFor, thisMachine } from '../../lib/backend/machine.ts'
import { targets } from '../../tools/package/targets.ts'

const machine = (platform: string, arch: string, libc?: Libc) => ({ platform, arch, libc: () => libc })

const bytesOf = (buffer: Buffer): Bytes => ({
  size: buffer.length,
  read: (position, length) => buffer.subarray(position, position + length),
})

/** Numbers of these widths in bytes, one after the other, the least byte first. */
function packed(...fields: [value: number, width: number][]): Buffer {
  const parts = fields.map(([value, width]) => {
    const part = Buffer.alloc(width)
    if (width === 8) part.writeBigUInt64LE(BigInt(value))
    else part.writeUIntLE(value, 0, width)
    return part
  })
  return Buffer.concat(parts)
}

/** A library of ELF that needs others: header, two segments, their dynamic section, and the names. `sections` is where its last table stands. */
function elf(machine: number, needed: readonly string[], sections = 0): Buffer {
  const [dynamicAt, base] = [64 + 2 * 56, 0x1000]
  const namesAt = dynamicAt + (needed.length + 2) * 16
  const entry = (tag: number, value: number) => packed([tag, 8], [value, 8])
  const offsets = needed.map((_, i) => needed.slice(0, i).join('').length + i)
  const dynamic = Buffer.concat([...offsets.map((offset) => entry(1, offset)), entry(5, base + namesAt), entry(0, 0)])
  const names = Buffer.from(needed.map((name) => `${name}\0`).join(''))
  const segment = (type: number, offset: number, size: number) =>
    packed([type, 8], [offset, 8], [base + offset, 8], [0, 8], [size, 8], [size, 8], [0, 8])
  return Buffer.concat([
    Buffer.from('7f454c46020101000000000000000000', 'hex'),
    packed([3, 2], [machine, 2], [1, 4], [0, 8], [64, 8], [sections, 8]),
    packed([0, 4], [64, 2], [56, 2], [2, 2], [64, 2], [0, 2], [0, 2]),
    segment(1, 0, namesAt + names.length),
    segment(2, dynamicAt, dynamic.length),
    dynamic,
    names,
  ])
}

const pe = (type: number) =>
  Buffer.concat([Buffer.from('MZ'.padEnd(60, '\0')), packed([64, 4], [0x4550, 4], [type, 2])])
const mach = (type: number) => Buffer.concat([Buffer.from('cffaedfe', 'hex'), packed([type, 4])])
const universal = (...types: number[]) => {
  const table = Buffer.alloc(8 + types.length * 20)
  table.writeUInt32BE(0xcafebabe, 0)
  table.writeUInt32BE(types.length, 4)
  types.forEach((type, i) => {
    table.writeUInt32BE(type, 8 + i * 20)
  })
  return table
}

describe('headerOf', () => {
  test.each<[string, Buffer, object]>([
    ['ELF with glibc', elf(62, ['libm.so.6', 'libc.so.6']), { format: 'ELF', archs: ['x64'], libc: 'glibc' }],
    ['ELF of Alpine', elf(183, ['libc.musl-aarch64.so.1']), { format: 'ELF', archs: ['arm64'], libc: 'musl' }],
    ['ELF of zig for musl', elf(62, ['libc.so']), { format: 'ELF', archs: ['x64'], libc: 'musl' }],
    ['ELF that needs nothing', elf(243, []), { format: 'ELF', archs: ['riscv64'], libc: undefined }],
    ['ELF of another machine', elf(8, ['libc.so.6']), { format: 'ELF', archs: ['machine 8'], libc: 'glibc' }],
    ['Mach-O', mach(0x0100000c), { format: 'Mach-O', archs: ['arm64'] }],
    ['universal Mach-O', universal(0x01000007, 0x0100000c), { format: 'Mach-O', archs: ['x64', 'arm64'] }],
    ['PE', pe(0x8664), { format: 'PE', archs: ['x64'] }],
  ])('%s', (_, buffer, header) => {
    expect(headerOf(bytesOf(buffer))).toEqual(header)
  })

  test.each([
    ['text', Buffer.from('text')],
    ['nothing', Buffer.alloc(0)],
    ['a Java class', Buffer.from('cafebabe0000003d', 'hex')],
    ['a program of DOS', Buffer.concat([Buffer.from('MZ'.padEnd(60, '\0')), packed([4, 4])])],
  ])('%s is no library', (_, buffer) => expect(headerOf(bytesOf(buffer))).toBeUndefined())

  test('the Node that runs this is of this machine', () => {
    const mismatch = withBytes(process.execPath, (bytes) => mismatchOf(bytes, thisMachine))
    expect(mismatch).toBeUndefined()
  })
})

describe('mismatchOf', () => {
  const addon = elf(62, ['libc.so.6'])
  test.each<[Buffer, ReturnType<typeof machine>, string | undefined]>([
    [addon, machine('linux', 'x64', 'glibc'), undefined],
    [addon, machine('linux', 'x64'), undefined],
    [addon, machine('linux', 'x64', 'musl'), 'is built for glibc, where this process has musl'],
    [addon, machine('linux', 'arm64', 'glibc'), 'is ELF for x64, where linux arm64 loads ELF for arm64'],
    [addon, machine('win32', 'x64'), 'is ELF for x64, where win32 x64 loads PE for x64'],
    [pe(0xaa64), machine('win32', 'x64'), 'is PE for arm64, where win32 x64 loads PE for x64'],
    [universal(0x01000007, 0x0100000c), machine('darwin', 'arm64'), undefined],
    [
      universal(0x01000007, 7),
      machine('darwin', 'arm64'),
      'is Mach-O for x64 and machine 7, where darwin arm64 loads Mach-O for arm64',
    ],
    [Buffer.alloc(0), machine('linux', 'x64'), 'is empty'],
    [Buffer.from('text'), machine('linux', 'x64'), 'is no library of any system'],
    [elf(62, ['libc.so.6'], 1e9), machine('linux', 'x64', 'glibc'), 'is cut off or damaged'],
  ])('%#', (buffer, here, why) => expect(mismatchOf(bytesOf(buffer), here)).toBe(why))

  test('a library that is cut off anywhere is refused before it is loaded', () => {
    const here = machine('linux', 'x64', 'glibc')
    for (let length = 0; length < addon.length; length++)
      expect(mismatchOf(bytesOf(addon.subarray(0, length)), here), String(length)).toBeTypeOf('string')
  })

  test('whatever the bytes are, there is an answer, and soon', () => {
    const hostile = fc.tuple(
      fc.constantFrom(addon, pe(0x8664), universal(1, 2)),
      fc.array(fc.tuple(fc.nat(), fc.nat(255))),
    )
    fc.assert(
      fc.property(hostile, ([file, changes]) => {
        const damaged = Buffer.from(file)
        for (const [position, value] of changes) damaged[position % damaged.length] = value
        const why = mismatchOf(bytesOf(damaged), machine('linux', 'x64', 'glibc'))
        expect(['string', 'undefined']).toContain(typeof why)
      }),
    )
  })

  test('of a file, what is named beyond its end is not asked for', () => {
    const size = 1e15
    expect(() => withBytes(process.execPath, (bytes) => bytes.read(size, 8))).toThrow(RangeError)
    expect(withBytes(process.execPath, (bytes) => bytes.read(bytes.size - 4, size).length)).toBe(4)
  })
})

describe('the folder of prebuilds', () => {
  test.each([
    ['linux-x64', machine('linux', 'x64', 'glibc')],
    ['linux-x64', machine('linux', 'x64')],
    ['linux-arm64-musl', machine('linux', 'arm64', 'musl')],
    ['darwin-arm64', machine('darwin', 'arm64')],
    ['win32-x64', machine('win32', 'x64')],
  ])('%s', (folder, here) => expect(prebuiltFor(here)).toBe(folder))

  test.each<[string, string[], Libc | undefined]>([
    ['Debian', ['/usr/bin/node', '/usr/lib/x86_64-linux-gnu/libc.so.6'], 'glibc'],
    ['Debian 10', ['/lib/x86_64-linux-gnu/libc-2.28.so', '/lib/x86_64-linux-gnu/ld-2.28.so'], 'glibc'],
    ['NixOS', ['/nix/store/abc-glibc-2.40/lib/ld-linux-x86-64.so.2'], 'glibc'],
    ['Alpine', ['/usr/bin/node', '/lib/ld-musl-x86_64.so.1'], 'musl'],
    ['Alpine with a layer for glibc', ['/lib/libc.so.6', '/lib/ld-musl-aarch64.so.1'], 'musl'],
    ["Debian's musl", ['/usr/lib/x86_64-linux-musl/libc.so'], 'musl'],
    ['something else', ['/usr/lib/libcso', '/opt/libc.so.conf'], undefined],
  ])('the C library of %s', (_, paths, libc) => expect(libcAmong(paths)).toBe(libc))

  test.runIf(process.platform === 'linux')('the C library of this process is that of its report', () => {
    expect(thisMachine.libc()).toBe(glibcVersion() ? 'glibc' : 'musl')
  })

  test('each target has the folder that its machine looks into', () => {
    for (const { name, platform, arch } of targets)
      expect(prebuiltFor(machine(platform, arch, name.endsWith('-musl') ? 'musl' : 'glibc'))).toBe(name)
  })
})
