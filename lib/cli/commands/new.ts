/** `galvani new`: a project that trains at once. */
import { mkdir, readdir, writeFile } from 'node:fs/promises'
import { basename, dirname, join, resolve } from 'node:path'
import type { Command } from 'commander'
import { CommandError, exitCodes } from '../exit.ts'
import { projectFiles } from '../template/project.ts'

/** As npm wants them. */
const nameOf = (folder: string): string =>
  basename(resolve(folder))
    .toLowerCase()
    .replaceAll(/[^a-z0-9-]+/g, '-')
    .replaceAll(/^-+|-+$/g, '') || 'project'

export function configure(command: Command): void {
  command.argument('<folder>', 'that is not there yet, or empty').action(async (folder: string) => {
    const there = await readdir(folder).catch((error: NodeJS.ErrnoException) => {
      if (error.code === 'ENOENT') return []
      throw new CommandError(`${folder} is no folder`, { code: exitCodes.usage, cause: error })
    })
    if (there.length > 0)
      throw new CommandError(`expected a folder that is empty or not there, got ${folder}`, { code: exitCodes.usage })
    for (const [path, text] of Object.entries(projectFiles(nameOf(folder)))) {
      await mkdir(dirname(join(folder, path)), { recursive: true })
      await writeFile(join(folder, path), text)
      console.log(join(folder, path))
    }
    console.log(`\ncd ${folder}\nnpx galvani train train.config.ts`)
  })
}
