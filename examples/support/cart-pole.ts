// A pole on a cart that is to be kept upright by pushing the cart to the left or to the right. The equations of motion are those of
// A. G. Barto, R. S. Sutton, C. W. Anderson: Neuronlike adaptive elements that can solve difficult learning control problems (1983),
// and the numbers those of OpenAI's CartPole-v0.

const gravity = 9.8
const cartMass = 1
const poleMass = 0.1
const mass = cartMass + poleMass
/** Half of the pole, where its mass is. */
const length = 0.5
const force = 10
const seconds = 0.02

const greatestPlace = 2.4
const greatestAngle = (12 / 180) * Math.PI

/** An episode ends after so many steps, however well it goes. */
export const mostSteps = 200

/** The place of the cart, its speed, the angle of the pole, and its speed. */
export type State = readonly [place: number, speed: number, angle: number, spin: number]

export type Action = 0 | 1

/** At rest but for a little, which `random` gives, numbers from 0 to 1. */
export const startState = (random: () => number): State => {
  const little = () => (random() - 0.5) / 10
  return [little(), little(), little(), little()]
}

/** What a push to the left (0) or to the right (1) makes of a state. */
export function push([place, speed, angle, spin]: State, action: Action): State {
  const [sin, cos] = [Math.sin(angle), Math.cos(angle)]
  const pushed = ((action === 1 ? force : -force) + poleMass * length * spin ** 2 * sin) / mass
  const turning = (gravity * sin - cos * pushed) / (length * (4 / 3 - (poleMass * cos ** 2) / mass))
  const moving = pushed - (poleMass * length * turning * cos) / mass
  return [place + seconds * speed, speed + seconds * moving, angle + seconds * spin, spin + seconds * turning]
}

/** The cart is off the track, or the pole has fallen. */
export const hasFailed = ([place, , angle]: State): boolean =>
  Math.abs(place) > greatestPlace || Math.abs(angle) > greatestAngle
