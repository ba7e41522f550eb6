import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const lib = (path: string): string => fileURLToPath(new URL('lib/', import.meta.url)) + path

export default defineConfig({
  resolve: {
    alias: [
      { find: /^galvani$/, replacement: lib('index.ts') },
      { find: /^galvani\/([\w/]+)$/, replacement: lib('$1/index.ts') },
    ],
  },
  test: {
    include: ['test/**/*.test.ts'],
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    maxWorkers: availableParallelism(),
    testTimeout: 60_000,
  },
})
