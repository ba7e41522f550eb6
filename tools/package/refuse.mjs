// What npm runs before it packs or publishes the checkout, which is no package: it compiles where it is installed.
console.error('This is a checkout. Its package is made by `npm run package` and published by `npm run release`.')
process.exit(1)
