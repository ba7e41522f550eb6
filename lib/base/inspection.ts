/** The method by which Node's console asks an object for its text; its name needs no import, so that browsers' types do. */
export const inspection: unique symbol = Symbol.for('nodejs.util.inspect.custom') as never

/** Has the console show the objects of a class by their text, since of private fields it sees nothing. */
export function showAsText(prototype: { toString(): string }): void {
  Object.defineProperty(prototype, inspection, {
    value(this: object): string {
      try {
        return String(this)
      } catch {
        // What only inherits from the class has no private fields.
        return Object.prototype.toString.call(this)
      }
    },
  })
}
