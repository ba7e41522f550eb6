/** The commands beside training: projects, completion, benchmarks, the page; and what holds for all. */
import { execFileSync, spawnSync } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import ts from 'typescript'
import { beforeAll, describe, expect, test } from 'vitest'
import { commands } from '../../lib/cli/commands.ts'
import { isEventFile, readEvents } from '../../lib/tensorboard/index.ts'
import { command, flowers, flowersConfig, galvani, start, until, workFolder } from '../support/command.ts'
import { root } from '../support/root.ts'

const folder = workFolder()
const call = (...args: string[]) => galvani(args, { cwd: folder.path })

beforeAll(async () => {
  folder.write('flowers.csv', flowers())
  folder.write('flowers.json', { ...flowersConfig, epochs: 4 })
  const { code } = await call(
    'train',
    'flowers.json',
    '--quiet',
    '--tensorboard',
    'events',
    '--set',
    'record={"confusion":true}',
  )
  expect(code).toBe(0)
}, 60_000)

describe('the entry', () => {
  test('is of words that an old Node parses, so that it can say which one it wants', () => {
    const source = readFileSync(command, 'utf8')
    const target = ts.ScriptTarget.ES2015
    const options: ts.CompilerOptions = {
      target,
      module: ts.ModuleKind.CommonJS,
      removeComments: true,
      newLine: ts.NewLineKind.LineFeed,
    }
    const old = ts.transpileModule(source, { compilerOptions: options }).outputText
    const same = ts.transpileModule(source, {
      compilerOptions: { ...options, target: ts.ScriptTarget.ESNext },
    }).outputText
    expect(old).toBe(same)
    const { engines } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'))
    const needed = /needed = \[(\d+), (\d+)\]/.exec(source)!.slice(1).join('.')
    expect(engines.node).toBe(`>=${needed}`)
  })

  test('says so to an old one', () => {
    const code = `Object.defineProperty(process.versions, 'node', { value: '18.20.1' }); require('${command}')`
    const { status, stderr } = spawnSync(process.execPath, ['--eval', code], { encoding: 'utf8' })
    expect([status, stderr]).toEqual([1, 'galvani: expected Node 20.19 or later, got 18.20.1\n'])
  })

  test('loads no command but the one that is called, and no others’ code for it', () => {
    const loaded = (args: string[]) => {
      const report = `process.on('exit', () => console.error(Object.keys(require('node:module')._cache).map((file) => require('node:path').basename(file)).join(' ')))`
      const code = `${report}; process.argv.splice(1, 0, 'galvani'); require('${command}')`
      return spawnSync(process.execPath, ['--eval', code, '--', ...args], { encoding: 'utf8' })
        .stderr.trim()
        .split('\n')
        .at(-1)!
    }
    expect(loaded(['--version'])).not.toMatch(/cli-(train|predict|config|info)|sucrase|csv-parse|engine/)
    const completing = loaded(['doctor', '--help'])
    expect(completing).toContain('cli-doctor.cjs')
    expect(completing).not.toMatch(/cli-(train|predict|config|info)|sucrase|csv-parse/)
  })
})

describe('galvani --help', () => {
  test('lists the commands, and each has its own', async () => {
    const { out } = await call('--help')
    for (const name of Object.keys(commands)) expect(out).toMatch(new RegExp(`^  ${name} `, 'm'))
    expect((await call('help', 'train')).out).toBe((await call('train', '--help')).out)
  })
})

describe('galvani new', () => {
  test('makes a project that trains as it is, and learns', async () => {
    expect(await call('new', 'spirals')).toMatchObject({ code: 0, errors: '' })
    const cwd = join(folder.path, 'spirals')
    const { scripts } = JSON.parse(readFileSync(join(cwd, 'package.json'), 'utf8'))
    const run = (name: string, ...more: string[]) => galvani([...scripts[name].split(' ').slice(1), ...more], { cwd })
    expect(await run('train')).toMatchObject({ code: 0, out: 'runs/train/model.safetensors\n' })
    const scores = (await run('evaluate', 'runs/train', '--json')).out
    expect(JSON.parse(scores).scores.accuracy).toBeGreaterThan(0.9)
    const { out } = await run('predict', 'runs/train', 'data/new.csv')
    expect(out.trim().split('\n')).toHaveLength(4)
    expect(await run('export', 'runs/train', '--out', 'model.onnx')).toMatchObject({ code: 0 })
    // Each command of its README is there.
    const readme = readFileSync(join(cwd, 'README.md'), 'utf8')
    for (const [, name] of readme.matchAll(/npm run (\w+)/g)) expect(scripts).toHaveProperty(name!)
  }, 60_000)

  test('is of TypeScript that is right', () => {
    const cwd = join(folder.path, 'spirals')
    const { config } = ts.readConfigFile(join(cwd, 'tsconfig.json'), ts.sys.readFile)
    const { options, fileNames } = ts.parseJsonConfigFileContent(config, ts.sys, cwd)
    // Declarations are not checked, sources would be.
    const paths = { galvani: [join(root, 'dist/index.d.ts')] }
    const program = ts.createProgram(fileNames, {
      ...options,
      paths,
      types: ['node'],
      typeRoots: [join(root, 'node_modules/@types')],
    })
    const own = ts.getPreEmitDiagnostics(program).filter(({ file }) => file?.fileName.startsWith(cwd))
    expect(own.map(({ messageText }) => ts.flattenDiagnosticMessageText(messageText, '\n'))).toEqual([])
    expect(fileNames).toHaveLength(2)
  }, 60_000)

  test('leaves a folder that has something in it alone', async () => {
    expect(await call('new', '.')).toMatchObject({
      code: 2,
      errors: 'galvani: expected a folder that is empty or not there, got .\n',
    })
  })
})

describe('galvani completion', () => {
  const complete = (script: string, line: string) =>
    execFileSync(
      'bash',
      [
        '-c',
        `${script}\nCOMP_WORDS=(${line}); COMP_CWORD=$((\${#COMP_WORDS[@]}-1)); _galvani; printf '%s\\n' "\${COMPREPLY[@]}"`,
      ],
      { encoding: 'utf8', cwd: folder.path },
    )
      .trim()
      .split('\n')

  test('bash completes commands, options and files', async () => {
    const { out } = await call('completion', 'bash')
    expect(complete(out, 'galvani e')).toEqual(['evaluate', 'export'])
    expect(complete(out, 'galvani train --se')).toEqual(['--set', '--seed'])
    expect(complete(out, 'galvani train flo').sort()).toEqual(['flowers.csv', 'flowers.json'])
  })

  test.each(['zsh', 'fish'])('%s is told all commands and options', async (shell) => {
    const { out, code } = await call('completion', shell)
    expect(code).toBe(0)
    for (const name of Object.keys(commands)) expect(out).toContain(name)
    expect(out).toContain(shell === 'zsh' ? "'--resume" : '-l resume')
  })

  test('of another shell is refused', async () => {
    expect((await call('completion', 'cmd')).code).toBe(2)
  })
})

test('galvani bench measures kernels and steps beside the limits of the machine', async () => {
  const { code, out } = await call('bench', '--json')
  expect(code).toBe(0)
  const { gigaflops, gigabytesPerSecond, measured } = JSON.parse(out)
  expect(gigaflops).toBeGreaterThan(0)
  expect(gigabytesPerSecond).toHaveLength(2)
  expect(new Set(measured.map(({ kind }: { kind: string }) => kind))).toEqual(new Set(['kernel', 'training step']))
  for (const { microseconds, limitMicroseconds } of measured) {
    expect(microseconds).toBeGreaterThan(0)
    expect(limitMicroseconds).toBeGreaterThan(0)
  }
}, 60_000)

describe('what is kept of a run', () => {
  test('are its records, which the page shows', async () => {
    const lines = readFileSync(join(folder.path, 'runs/flowers/events.jsonl'), 'utf8').trim().split('\n')
    const records = lines.map((line) => JSON.parse(line))
    expect(records[0]).toMatchObject({ type: 'run', name: 'flowers', epochs: 4 })
    expect(records[1]).toMatchObject({
      type: 'hyperparameters',
      values: { optimizer: 'adam', 'optimizer.learningRate': 0.05, seed: 0 },
    })
    expect(records.find(({ type }) => type === 'confusion')).toMatchObject({ labels: ['iris', 'rose', 'tulip'] })
    expect(records.at(-1)).toMatchObject({ type: 'end', state: 'ended' })
    const child = start(['board', 'runs', '--port', '0'], { cwd: folder.path })
    let out = ''
    child.stdout!.setEncoding('utf8').on('data', (text) => (out += text))
    const ended = new Promise((done) => child.on('close', done))
    await until('an address', () => out.includes('\n'))
    const runs = await (await fetch(new URL('/api/runs', out.trim()))).json()
    expect(runs).toMatchObject([{ id: 'flowers', state: 'ended' }])
    child.kill('SIGINT')
    expect(await ended).toBe(0)
  }, 60_000)

  test('are event files of TensorBoard where they are asked for', async () => {
    const [file] = readdirSync(join(folder.path, 'events/flowers'))
    const path = join(folder.path, 'events/flowers', file!)
    expect(await isEventFile(path)).toBe(true)
    let count = 0
    for await (const _ of readEvents(path)) count++
    expect(count).toBeGreaterThan(4)
  })

  test('is served while it is trained by --board', async () => {
    const child = start(['train', 'flowers.json', '--board', '0', '--set', 'epochs=100000', '--out', 'served/run'], {
      cwd: folder.path,
    })
    let said = ''
    child.stderr!.setEncoding('utf8').on('data', (text) => (said += text))
    const ended = new Promise((done) => child.on('close', done))
    await until('an address', () => /http:\S+/.test(said))
    const url = /http:\S+/.exec(said)![0]
    let runs: unknown[] = []
    // Records are written once a second.
    for (const end = performance.now() + 20_000; runs.length === 0 && performance.now() < end; ) {
      await new Promise((done) => setTimeout(done, 100))
      runs = (await (await fetch(new URL('/api/runs', url))).json()) as unknown[]
    }
    expect(runs).toMatchObject([{ id: 'run', state: 'running', controls: true }])
    child.kill('SIGINT')
    expect(await ended).toBe(130)
    expect(existsSync(join(folder.path, 'served/run/model.safetensors'))).toBe(true)
  }, 60_000)
})

describe('predictions of a stream', () => {
  test('end with who reads them, and without an error', () => {
    const rows = `length,width,soil\n${'1,2,dry\n'.repeat(20_000)}`
    folder.write('many.csv', rows)
    const line = `'${process.execPath}' '${command}' predict runs/flowers many.csv | head -2`
    const { stdout, stderr } = spawnSync('bash', ['-o', 'pipefail', '-c', line], { cwd: folder.path, encoding: 'utf8' })
    expect([stdout.split('\n').length, stderr]).toEqual([3, ''])
  })

  test('are no faster than their reader, and rows are read no faster than that', async () => {
    const child = start(['predict', 'runs/flowers', '--format', 'csv'], { cwd: folder.path })
    child.stdout!.pause()
    child.stdin!.on('error', () => {})
    child.stdin!.write('length,width,soil\n')
    const chunk = '1,2,dry\n'.repeat(8192)
    let written = 0
    // Until the process takes no more for a while: nobody reads what it says.
    for (let idle = 0; idle < 20; ) {
      if (child.stdin!.write(chunk)) {
        written += chunk.length
        idle = 0
      } else {
        written += chunk.length
        const drained = await Promise.race([
          new Promise<boolean>((done) => child.stdin!.once('drain', () => done(true))),
          new Promise<boolean>((done) => setTimeout(() => done(false), 1500)),
        ])
        if (!drained) break
        idle = 0
      }
      if (written > 200e6) break
    }
    expect(written).toBeLessThan(30e6)
    child.kill('SIGKILL')
  }, 60_000)
})
