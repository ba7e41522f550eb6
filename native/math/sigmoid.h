// The logistic function, and the activations that are made of it and of exponentials.
#pragma once

#include "math/exp.h"
#include "math/log.h"
#include "math/pair.h"
#include "math/reciprocal.h"
#include "math/signs.h"
#include "simd/vectors.h"

// 1 / (1 + e^-x) = quotient·2^-shift, the second of which may make it denormal: what else it is to be multiplied by
// comes before that rounding. With e^-x = 2^n·m it is 1 / (2^-shift + 2^(n - shift)·m), for shift = max(n, 0): neither
// power overflows.
struct SigmoidParts {
  F32 quotient, shift;
};
inline SigmoidParts sigmoid_parts(Pair mantissa, F32 n) {
  const F32 shift = max(zero(), n);
  const Pair m = quick_two_sum(mantissa.high, mantissa.low);
  const F32 one = power_of_two(zero() - shift), scale = power_of_two(n - shift);
  const F32 power = scale * m.high;
  const Pair sum = quick_two_sum(max(one, power), min(one, power));
  return {reciprocal_of({sum.high, fma(scale, m.low, sum.low)}), shift};
}

// 1 / (1 + e^x) where e^x does not overflow.
inline F32 sigmoid_by_table(Pair x) {
  const ScaledPair p = exp_by_table(x);
  const F32 one = broadcast(1.0f), power = ldexp(p.mantissa.high, p.n);
  const Pair sum = quick_two_sum(max(one, power), min(one, power));
  const F32 low = sum.low + ldexp(p.mantissa.low, p.n);
  const F32 q = reciprocal_estimate(sum.high + low);
  return fma(q, fnma(q, low, remainder(one, q, sum.high)), q);
}
// Beyond it a quotient is small enough to be denormal, or to become so when multiplied.
constexpr float kGreatestTableArgument = 84.0f;

inline SigmoidParts sigmoid_parts(F32 x) {
  const ExpArgument argument = reduce_bounded_exp(min(broadcast(115.0f), max(broadcast(-115.0f), zero() - x)));
  return sigmoid_parts(exp_mantissa(argument.r), argument.n);
}

// What is the same function, for `beyond` the range of `by_table`. Its lanes do not depend on their neighbours.
template <class ByTable, class Everywhere>
inline F32 within_table(Mask beyond, ByTable by_table, Everywhere everywhere) {
  if (!kHasTables) return everywhere();
  const F32 result = by_table();
  return any(beyond) ? select(beyond, everywhere(), result) : result;
}

inline F32 sigmoid(F32 x) {
  const auto by_table = [=] { return sigmoid_by_table({max(broadcast(-115.0f), zero() - x), zero()}); };
  return within_table(x < broadcast(-kGreatestTableArgument), by_table, [=] {
    const SigmoidParts s = sigmoid_parts(x);
    return ldexp(s.quotient, zero() - s.shift);
  });
}

// x·sigmoid(x), and -0 at -∞.
inline F32 silu(F32 x) {
  const auto by_table = [=] { return x * sigmoid_by_table({max(broadcast(-115.0f), zero() - x), zero()}); };
  return within_table(x < broadcast(-kGreatestTableArgument), by_table, [=] {
    const SigmoidParts s = sigmoid_parts(x);
    return ldexp(s.quotient * max(broadcast(-115.0f), x), zero() - s.shift);
  });
}

// max(x, 0) + log(1 + e^-|x|).
inline F32 softplus(F32 x) { return max(zero(), x) + log1p_unit(exp(negative_abs(x))); }

inline F32 elu(F32 x, F32 alpha) { return select(zero() < x, x, alpha * expm1(x)); }
