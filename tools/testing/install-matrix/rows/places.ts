/** Places where a project or the package may be. */
import { symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { type Row, train, trainBoth, usual } from '../row.ts'

export const places = (): Row[] => [
  {
    title: 'a path with spaces, quotes and letters of other languages',
    run: (setting) => trainBoth(usual(setting, { name: `Luigi's "größere" 工程` })),
  },
  {
    title: 'a project behind a symbolic link',
    run(setting) {
      const installation = usual(setting)
      const link = join(setting.folder, 'link')
      symlinkSync(installation.project, link)
      return train(installation, ['node', '--preserve-symlinks', '--preserve-symlinks-main', join(link, 'xor.mjs')], {
        cwd: link,
      })
    },
  },
  {
    title: 'a read-only project',
    run(setting) {
      const installation = usual(setting)
      return train(installation, ['node', 'xor.mjs'], { readOnly: installation.project })
    },
  },
]
