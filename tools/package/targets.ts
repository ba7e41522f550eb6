/** The platforms that the package has prebuilt addons for: the one table of them. */

export interface Target {
  /** The folder in prebuilds/: `process.platform` and `process.arch`, and -musl where that is the C library. */
  readonly name: string
  readonly platform: NodeJS.Platform
  readonly arch: NodeJS.Architecture
  /** What the compiler is told of the machine and of the oldest system. */
  readonly options: readonly string[]
  /** The oldest system that the addon is for, in words. */
  readonly floor: string
}

const zig = (triple: string, cpu: string): readonly string[] => ['-target', triple, `-mcpu=${cpu}`]

// Registers of 512 bits are for the AVX-512 kernels, whose functions say that they have them. zig takes even these away
// unless told otherwise.
const x64 = 'x86_64+evex512'
const arm64 = 'generic'

export const targets: readonly Target[] = [
  {
    name: 'linux-x64',
    platform: 'linux',
    arch: 'x64',
    options: zig('x86_64-linux-gnu.2.28', x64),
    floor: 'glibc 2.28',
  },
  {
    name: 'linux-arm64',
    platform: 'linux',
    arch: 'arm64',
    options: zig('aarch64-linux-gnu.2.28', arm64),
    floor: 'glibc 2.28',
  },
  { name: 'linux-x64-musl', platform: 'linux', arch: 'x64', options: zig('x86_64-linux-musl', x64), floor: 'musl 1.2' },
  {
    name: 'linux-arm64-musl',
    platform: 'linux',
    arch: 'arm64',
    options: zig('aarch64-linux-musl', arm64),
    floor: 'musl 1.2',
  },
  { name: 'win32-x64', platform: 'win32', arch: 'x64', options: zig('x86_64-windows-gnu', x64), floor: 'Windows 10' },
  {
    name: 'darwin-arm64',
    platform: 'darwin',
    arch: 'arm64',
    options: zig('aarch64-macos.11.0', 'apple_m1'),
    floor: 'macOS 11.0',
  },
  { name: 'darwin-x64', platform: 'darwin', arch: 'x64', options: zig('x86_64-macos.11.0', x64), floor: 'macOS 11.0' },
]

/** The target of this name. */
export function targetNamed(name: string): Target {
  const target = targets.find((other) => other.name === name)
  if (target === undefined)
    throw new Error(`prebuild: expected ${targets.map((other) => other.name).join(', ')}, got ${name}`)
  return target
}

/** The addon of a target, in a checkout and in the package. */
export const addonOf = ({ name }: Target): string => `prebuilds/${name}/galvani.node`
