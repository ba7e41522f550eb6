/** A bar of cli-progress that stays within its line and leaves nothing behind: no timer, no settings of the terminal. */
import type { GenericFormatter, SingleBar } from 'cli-progress'
import type { TextStream } from '../../base/terminal.ts'

/**
 * What such a bar draws on. It saves and restores no place of the cursor, which would be another one once somebody else has printed,
 * and leaves the wrapping of lines as it is, since a training may end without a word to the bar.
 */
const terminalOf = (stream: TextStream) => ({
  isTTY: () => true,
  getWidth: () => columnsIn(stream),
  cursorTo: () => stream.write('\r'),
  write: (text: string) => stream.write(text),
  clearRight: () => stream.write('\x1b[K'),
  newline: () => stream.write('\n'),
  cursorSave() {},
  cursorRestore() {},
  lineWrapping() {},
})

const columnsIn = ({ columns }: TextStream): number => (columns !== undefined && columns > 0 ? columns : 80)

const barLength = 20

function barOf(progress: number): string {
  const done = Math.round(progress * barLength)
  return '━'.repeat(done) + '─'.repeat(barLength - done)
}

/** @param line what it says: of the bar itself, and of how many columns at most. The last of the terminal's stays free, as some wrap after it. */
export async function terminalBar(
  stream: TextStream,
  line: (bar: string, width: number) => string,
): Promise<SingleBar> {
  const { Bar } = await import('cli-progress')
  /** Drawn when it is told something: by its timer it would keep a process alive whose training has failed. */
  class QuietBar extends Bar {
    private timer?: NodeJS.Timeout

    override render(): void {
      super.render()
      clearTimeout(this.timer)
    }
  }
  const format: GenericFormatter = (_, { progress, maxWidth }) => line(barOf(progress), maxWidth - 1)
  return new QuietBar({ fps: 20, format, terminal: terminalOf(stream) } as object)
}
