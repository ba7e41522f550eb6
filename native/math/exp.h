// e^x and e^x - 1, of floats and of pairs. What holds for all functions here: each is within an ulp of the exact value,
// if its row in program/micro_ops.inc does not say otherwise; ±0, infinities, NaN and denormal inputs and outputs are
// those of IEEE 754. docs/accuracy.md states the greatest errors over all floats.
#pragma once

#include "math/pair.h"
#include "math/polynomial.h"
#include "math/signs.h"
#include "simd/vectors.h"

// ln 2 in two parts. The first has 10 bits, so that its product with an exponent is exact.
constexpr float kLn2High = 0.693359375f;
constexpr float kLn2Low = -2.12194440e-4f;

// x = n·ln 2 + r with integral n and |r| <= ln 2 / 2 (Cody and Waite).
struct ExpArgument {
  F32 n, r;
};
inline ExpArgument reduce_bounded_exp(F32 x) {
  const F32 n = round(x * broadcast(1.44269504f));
  return {n, fnma(n, broadcast(kLn2Low), fnma(n, broadcast(kLn2High), x))};
}
// What would overflow, or vanish even if it is multiplied by x, is brought to where it just does; NaN passes.
inline ExpArgument reduce_exp(F32 x) { return reduce_bounded_exp(min(broadcast(89.0f), max(broadcast(-115.0f), x))); }

// e^r - 1 - r = r²·P(r) + low. The error of P is 2^-28 of e^r.
inline F32 exp_tail(F32 r, F32 low) {
  constexpr float kP[] = {0.0013814539f, 0.008368745f, 0.04166839f, 0.16666521f, 0.49999994f};
  return fma(r * r, polynomial(r, kP), low);
}

// e^r, the last sum unrounded.
inline Pair exp_mantissa(F32 r) {
  const Pair sum = quick_two_sum(broadcast(1.0f), r);
  return {sum.high, exp_tail(r, sum.low)};
}

// e^(high + low) = 2^n · a mantissa, for what is multiplied by a large exponent, and bounded exponents.
struct ScaledPair {
  Pair mantissa;
  F32 n;
};
inline ScaledPair exp_of_pair(Pair x) {
  const ExpArgument argument = reduce_bounded_exp(x.high);
  const Pair r = quick_two_sum(argument.r, x.low);
  const Pair sum = quick_two_sum(broadcast(1.0f), r.high);
  return {{sum.high, exp_tail(r.high, sum.low + r.low)}, argument.n};
}

// The same with 2^⌊n⌋, and a low part of up to 0.05: x is N·ln 2/16 + r, and the high part the power of two that
// belongs to the last four bits of N. e^r - 1 = r + r²·P(r) with an error of 2^-29.
inline ScaledPair exp_by_table(Pair x) {
  static constexpr float kPowers[16] = {1.0f,       1.0442737f, 1.0905077f, 1.1387886f, 1.1892071f, 1.2418578f,
                                        1.2968396f, 1.3542556f, 1.4142135f, 1.4768262f, 1.5422108f, 1.6104903f,
                                        1.6817929f, 1.7562522f, 1.8340081f, 1.9152066f};
  static constexpr float kRest[16] = {0.0f,           4.83347e-8f,   -1.307754e-8f,  5.3862223e-8f,
                                      3.7976353e-8f,  4.496838e-8f,  -4.0189995e-8f, -1.0123349e-8f,
                                      2.4203235e-8f,  -4.500899e-8f, 8.070905e-9f,   9.836217e-9f,
                                      -2.4755327e-8f, -9.23577e-9f,  -1.1239278e-8f, 9.845328e-9f};
  constexpr float kRounding = 0x1.8p23f;  // what is added to it is an integer in its last bits
  const F32 rounded = fma(x.high, broadcast(23.08312f), broadcast(kRounding));
  const F32 steps = rounded - broadcast(kRounding);
  const F32 r = fnma(steps, broadcast(-1.1904089e-10f), fnma(steps, broadcast(0.0433217f), x.high)) + x.low;
  const F32 less_one = fma(r * r, fma(r, broadcast(0.16666667f), broadcast(0.5000162f)), r);
  const F32 high = look_up(kPowers, bits(rounded));
  return {{high, fma(high, less_one, look_up(kRest, bits(rounded)))}, steps * broadcast(0.0625f)};
}

// Whichever is quicker, for what only ldexp() sees the exponent of.
inline ScaledPair quick_exp_of_pair(Pair x) { return kHasTables ? exp_by_table(x) : exp_of_pair(x); }

inline F32 exp(F32 x) {
  const ExpArgument argument = reduce_exp(x);
  const Pair mantissa = exp_mantissa(argument.r);
  return ldexp(mantissa.high + mantissa.low, argument.n);
}

// 2^n·((1 - 2^-n) + (e^r - 1)); e^r - 1 = r + r²·P(r). From n = -30 down it is -1. Up to ½, n is 0: so near 0 nothing
// cancels, and P holds up to there; its error is 2^-32.
inline F32 expm1(F32 x) {
  constexpr float kP[] = {2.4814877e-5f, 1.9964243e-4f, 1.3889116e-3f, 8.333176e-3f, 0.041666664f, 0.16666667f, 0.5f};
  const ExpArgument a = reduce_exp(x);
  const Mask small = abs(x) < broadcast(0.5f);
  const F32 n = select(small, zero(), max(broadcast(-30.0f), a.n));
  const F32 r = select(small, x, a.r);
  const F32 power = power_of_two(max(broadcast(-126.0f), zero() - n));
  const Pair one_less = quick_two_sum(broadcast(1.0f), zero() - power);
  const Pair sum = quick_two_sum(one_less.high, r);
  return with_sign_of(ldexp(sum.high + fma(r * r, polynomial(r, kP), sum.low + one_less.low), n), x);
}
