/** Loads a handler and calls it with an event, as Lambda does, and prints the body of its answer. Arguments: the module. */
const { handler } = require(process.argv[2])

handler({}).then(({ body }) => console.log(body))
