/** Bundles xor.mjs without the package. Arguments: the module of webpack. */
const webpack = require(process.argv[2])

const options = {
  ...{ mode: 'production', target: 'node', context: __dirname, entry: './xor.mjs' },
  externals: { galvani: 'commonjs galvani' },
  output: { path: `${__dirname}/built`, filename: 'xor.cjs' },
}
webpack(options, (error, stats) => {
  if (error ?? stats.hasErrors()) throw error ?? new Error(stats.toString())
})
