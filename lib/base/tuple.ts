/** Tuples whose length a literal number says. */

type Digit = '0' | '1' | '2' | '3' | '4' | '5' | '6' | '7' | '8' | '9'

type Grown<T, N extends number, Done extends T[]> = Done['length'] extends N ? Done : Grown<T, N, [...Done, T]>

/** N elements of T; a list where N is no literal, or not one of 0 to 99. */
export type TupleOf<T, N extends number> = number extends N
  ? T[]
  : `${N}` extends Digit | `${Digit}${Digit}`
    ? Grown<T, N, []>
    : T[]
