/** The method by which Node's console asks an object for its text; its name needs no import, so that browsers' types do. */
export const inspection: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never
