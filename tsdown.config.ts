import { defineConfig } from 'tsdown'

export default defineConfig({
  entry: 'lib/index.ts',
  format: ['esm', 'cjs'],
  platform: 'node',
  target: 'node20.19',
  dts: true,
  sourcemap: true,
  fixedExtension: false,
  checks: { legacyCjs: false, pluginTimings: false },
})
