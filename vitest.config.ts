import { availableParallelism } from 'node:os'
import { fileURLToPath } from 'node:url'
import { defineConfig } from 'vitest/config'

const lib = (path: string): string => fileURLToPath(new URL('lib/', import.meta.url)) + path

// Most of what a small file of tests costs is the loading of modules. Tests that depend on nothing but their inputs share them.
const shared = [
  'test/{data,graph,keras,losses,metrics,nn,numpy,operations,optim,program,tensor,tfjs,torch,transforms}/**/*.test.ts',
  'test/{layers,options}.test.ts',
]
// Files in those folders that change the working folder, the environment, functions of `process`, or the addon's instruction
// set or number of threads, or measure memory.
const apart = [
  'test/data/{idx,readers/csv}.test.ts',
  'test/operations/parity.test.ts',
  'test/program/{passes,plan,programs}.test.ts',
  'test/tensor/starts.test.ts',
  'test/transforms/{inspect,recordings}.test.ts',
]
// What has stages of its own. Projects do not heed `--exclude` of the command line, so that it is a project.
const staged = 'test/**/*.{clock,prebuilt}.test.ts'

export default defineConfig({
  resolve: {
    alias: [
      { find: /^galvani$/, replacement: lib('index.ts') },
      { find: /^galvani\/([\w/]+)$/, replacement: lib('$1/index.ts') },
    ],
  },
  test: {
    setupFiles: ['test/setup.ts'],
    pool: 'forks',
    maxWorkers: availableParallelism(),
    testTimeout: 60_000,
    projects: [
      { extends: true, test: { name: 'staged', include: [staged] } },
      { extends: true, test: { name: 'isolated', include: ['test/**/*.test.ts'], exclude: [...shared, staged] } },
      { extends: true, test: { name: 'apart', include: apart } },
      {
        extends: true,
        test: {
          name: 'shared',
          include: shared,
          exclude: [...apart, staged],
          isolate: false,
          setupFiles: ['test/afresh.ts'],
        },
      },
    ],
  },
})
