/** Objects that structuredClone and postMessage refuse, as what they are made of is private and nothing would be left of it. */

/**
 * The value of a property that has them throw. Both refuse a symbol, and quote its description.
 * @param what the object and what to do in its place: `a tensor: send its data()`
 */
export const notCloned = (what: string): symbol => Symbol(what)
