/** The command on a terminal, which `script` of util-linux makes: what is drawn there, and what Ctrl-C does. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { existsSync, readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { beforeAll, describe, expect, test } from 'vitest'
import { command, flowers, flowersConfig, galvani, until, workFolder } from '../support/command.ts'

const folder = workFolder()
const { NO_COLOR: _, FORCE_COLOR: __, ...clean } = process.env

interface Terminal {
  readonly child: ChildProcess
  /** All that was drawn so far. */
  screen(): string
  /** Types into it. */
  type(text: string): void
  resize(columns: number): void
  readonly ended: Promise<number | null>
}

/** Runs the command on a terminal of so many columns. */
function terminal(args: readonly string[], env: Readonly<Record<string, string>> = {}, columns = 100): Terminal {
  const device = join(folder.path, `tty-${Math.random()}`)
  const words = [process.execPath, command, ...args].map((word) => `'${word}'`).join(' ')
  const line = `tty > '${device}'; stty cols ${columns} rows 30; exec ${words}`
  const child = spawn('script', ['--quiet', '--return', '--command', line, '/dev/null'], {
    cwd: folder.path,
    env: { ...clean, TERM: 'xterm', ...env },
  })
  let drawn = ''
  child.stdout!.setEncoding('utf8').on('data', (text) => (drawn += text))
  return {
    child,
    screen: () => drawn,
    type: (text) => void child.stdin!.write(text),
    resize: (columns) =>
      void execFileSync('stty', ['-F', readFileSync(device, 'utf8').trim(), 'cols', String(columns)]),
    ended: new Promise((done) => child.on('close', (code) => done(code))),
  }
}

/** Steps that go on for as long as a test may take. */
const endless = ['train', 'slow.json', '--out']

beforeAll(() => {
  folder.write('flowers.csv', flowers(3000))
  folder.write('flowers.json', { ...flowersConfig, epochs: 2 })
  folder.write('slow.json', {
    ...flowersConfig,
    epochs: 100_000,
    batchSize: 1,
    checkpoint: { every: { epochs: 100_000 } },
  })
})

/** What a text is without colours and movements of the cursor. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
const plain = (text: string): string => text.replaceAll(/\x1b\[[\d;?]*[A-Za-z]/g, '')
const colours = '\x1b[36m'

describe('a bar on a terminal', () => {
  test('is drawn, and drawn again in its place', async () => {
    const { screen, type, ended } = terminal([...endless, 'drawn'])
    const drawings = () =>
      plain(screen())
        .split('\r')
        .filter((text) => /^epoch \d+\/100000 [━─]+ /.test(text))
    await until('drawings', () => drawings().length > 5)
    type('\x03')
    await ended
    expect(new Set(drawings()).size).toBeGreaterThan(3)
    expect(screen()).toContain(colours)
  }, 60_000)

  test('stands at its end, with what comes after it below', async () => {
    const { screen, ended } = terminal(['train', 'flowers.json', '--out', 'ended'])
    expect(await ended).toBe(0)
    const lines = plain(screen()).trim().split(/\r?\n/)
    expect(lines.at(-2)!.split('\r').at(-1)).toMatch(/^epoch 2\/2 (━+ )?71\/71 loss [\d.e-]+ accuracy [\d.]+ /)
    expect(lines.at(-1)).toBe('ended/model.safetensors')
  })

  test.each<[string, Record<string, string>]>([
    ['NO_COLOR', { NO_COLOR: '1' }],
    ['a terminal that has none', { TERM: 'dumb' }],
  ])('has no colours with %s', async (_, env) => {
    const { screen, ended } = terminal(['train', 'flowers.json', '--out', `plain ${Object.values(env)}`], env)
    expect(await ended).toBe(0)
    expect(screen()).toMatch(/epoch 1\/2/)
    expect(screen()).not.toContain('\x1b[36m')
    expect(screen()).not.toContain('\x1b[1m')
  })

  test('has colours without a terminal with FORCE_COLOR, and none without it', async () => {
    const run = (out: string, env: Record<string, string>) =>
      galvani(['train', 'nothing.json', '--out', out], { cwd: folder.path, env })
    const [with_, without] = [await run('forced', { FORCE_COLOR: '1' }), await run('not', {})]
    expect(without.errors).not.toContain('\x1b[')
    expect(with_.errors).toContain('\x1b[31m')
  })

  test('fits into a terminal that becomes narrower', async () => {
    const { screen, resize, type, ended } = terminal([...endless, 'resized'])
    await until('a bar', () => plain(screen()).includes('epoch 1/'))
    await until('a wide line', () =>
      plain(screen())
        .split('\r')
        .some((text) => text.trimEnd().length > 60),
    )
    resize(40)
    const before = screen().length
    await until('more of it', () => screen().length > before + 3000)
    type('\x03\x03')
    await ended
    const lines = plain(screen().slice(before + 1000))
      .split(/[\r\n]+/)
      .filter((line) => line.startsWith('epoch'))
    expect(lines.length).toBeGreaterThan(3)
    // The first ones may have been on their way.
    for (const line of lines.slice(2)) expect(line.trimEnd().length).toBeLessThanOrEqual(40)
  }, 60_000)
})

describe('Ctrl-C', () => {
  test('ends after the step under way, saves, says where, and the training goes on from there', async () => {
    const { screen, type, ended } = terminal([...endless, 'stopped'])
    await until('a bar', () => /epoch \d+\/100000 .*loss/.test(plain(screen())))
    type('\x03')
    expect(await ended).toBe(130)
    expect(plain(screen())).toContain('stopping after this step and saving; Ctrl-C again stops at once')
    expect(plain(screen())).toContain(
      'interrupted: stopped/checkpoints has the state; galvani train --resume stopped goes on',
    )
    const [checkpoint] = readdirSync(join(folder.path, 'stopped/checkpoints'))
    const steps = Number(/step-(\d+)/.exec(checkpoint!)![1])
    expect(steps).toBeGreaterThan(0)
    expect(existsSync(join(folder.path, 'stopped/model.safetensors'))).toBe(true)
    const epochs = Math.ceil(steps / 2250) + 1
    const again = await galvani(['train', '--resume', 'stopped', '--json', '--set', `epochs=${epochs}`], {
      cwd: folder.path,
    })
    expect(again.code).toBe(0)
    const events = again.out
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line))
    expect(events.find(({ type }) => type === 'epoch')).toMatchObject({ epoch: Math.floor(steps / 2250) + 1 })
  }, 60_000)

  test('a second time ends at once', async () => {
    // Its end waits for what never comes.
    folder.write(
      'hangs.mjs',
      `export default { ...${JSON.stringify({ ...flowersConfig, epochs: 100_000 })}, callbacks: [{ onTrainEnd: () => new Promise(() => setInterval(() => {}, 1000)) }] }`,
    )
    const { screen, type, ended } = terminal(['train', 'hangs.mjs', '--out', 'twice'])
    await until('a bar', () => plain(screen()).includes('loss'))
    type('\x03')
    await until('a word about it', () => plain(screen()).includes('Ctrl-C again stops at once'))
    type('\x03')
    expect(await ended).toBe(130)
    expect(plain(screen())).not.toContain('interrupted:')
  }, 60_000)

  test('of a process without a terminal is SIGINT, and SIGTERM saves as well', async () => {
    for (const [signal, code] of [
      ['SIGINT', 130],
      ['SIGTERM', 143],
    ] as const) {
      const child = spawn(process.execPath, [command, ...endless, signal], { cwd: folder.path })
      let said = ''
      child.stderr.setEncoding('utf8').on('data', (text) => (said += text))
      const ended = new Promise((done) => child.on('close', done))
      await until('an epoch', () => said.includes('epoch 1/100000'))
      child.kill(signal)
      expect(await ended).toBe(code)
      expect(readdirSync(join(folder.path, signal, 'checkpoints'))).toHaveLength(1)
    }
  }, 60_000)
})
