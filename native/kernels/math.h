// The exponential and its kin, the logarithm, and roots over F32, each within an ulp of the exact value (softplus, silu
// and elu within two). The polynomials are minimax (Remez). ±0, infinities, NaN and denormal inputs and outputs are
// those of IEEE 754. docs/accuracy.md states the greatest errors over all floats.
#pragma once

constexpr float kInfinity = __builtin_inff();
constexpr float kNaN = __builtin_nanf("");
// ln 2 in two parts. The first has 10 bits, so that its product with an exponent is exact.
constexpr float kLn2High = 0.693359375f;
constexpr float kLn2Low = -2.12194440e-4f;

inline F32 abs(F32 a) { return from_bits(bits(a) & broadcast(0x7fffffff)); }
inline F32 negative_abs(F32 a) { return from_bits(bits(a) | broadcast(static_cast<int32_t>(0x80000000))); }
inline I32 sign_bit(F32 a) { return bits(a) & broadcast(static_cast<int32_t>(0x80000000)); }
inline F32 flip_sign(F32 a, I32 sign) { return from_bits(bits(a) ^ sign); }
// For functions through 0, whose 0 takes the sign of its argument.
inline F32 with_sign_of(F32 magnitude, F32 x) {
  return from_bits((bits(magnitude) & broadcast(0x7fffffff)) | sign_bit(x));
}

// c[0]·x^(n-1) + … + c[n-1].
template <int n>
inline F32 polynomial(F32 x, const float (&c)[n]) {
  F32 sum = broadcast(c[0]);
  for (int i = 1; i < n; ++i) sum = fma(sum, x, broadcast(c[i]));
  return sum;
}

// The same as two polynomials in x², of half the depth, for long ones: a processor waits for each step.
template <int n>
inline F32 split_polynomial(F32 x, const float (&c)[n]) {
  static_assert(n % 2 == 0 && n >= 4);
  const F32 square = x * x;
  F32 odd = broadcast(c[0]), even = broadcast(c[1]);
  for (int i = 2; i < n; i += 2) {
    odd = fma(odd, square, broadcast(c[i]));
    even = fma(even, square, broadcast(c[i + 1]));
  }
  return fma(odd, x, even);
}

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

// x = m·2^e with m in [√½, √2), for finite x > 0.
struct Split {
  F32 m, e;
};
inline Split split(F32 x) {
  const I32 sqrt_half = broadcast(0x3f3504f3);
  const Mask denormal = x < broadcast(0x1p-126f);
  const I32 shifted = bits(select(denormal, x * broadcast(0x1p23f), x)) - sqrt_half;
  const F32 bias = select(denormal, broadcast(23.0f), zero());
  return {from_bits((shifted & broadcast(0x7fffff)) + sqrt_half), to_float(shift_right<23>(shifted)) - bias};
}

// e·ln 2 + log(1 + r) + low for r in [√½ - 1, √2 - 1]; log(1 + r) = r - r²/2 + r³·P(r). The error of P is 2^-30 of the
// log.
inline F32 log_reduced(F32 e, F32 r, F32 low) {
  constexpr float kP[] = {0.06746643f,  -0.11675652f, 0.11888161f, -0.124055885f, 0.14219552f,
                          -0.16667996f, 0.20002119f,  -0.2500001f, 0.33333313f};
  const F32 half = r * broadcast(-0.5f);
  const F32 tail = fma(half, r, fma(e, broadcast(kLn2Low), fma(r * r * r, polynomial(r, kP), low)));
  return fma(e, broadcast(kLn2High), r + tail);
}

// Of a logarithm that is right for finite y > 0.
inline F32 log_special(F32 y, F32 result) {
  result = select(y < broadcast(kInfinity), result, y);
  result = select(y < zero(), broadcast(kNaN), result);
  return select(y == zero(), broadcast(-kInfinity), result);
}

inline F32 log(F32 x) {
  const Split s = split(x);
  return log_special(x, log_reduced(s.e, s.m - broadcast(1.0f), zero()));
}

// The log of the rounded 1 + x, and what rounding took from it over 1 + x; near 0, 1 + x is not rounded at all.
inline F32 log1p(F32 x) {
  const Pair sum = two_sum(broadcast(1.0f), x);
  const Split s = split(sum.high);
  const Mask near = s.e == zero();
  const F32 scale = power_of_two(max(broadcast(-126.0f), zero() - s.e));
  const F32 low = select(near, zero(), sum.low * scale / s.m);
  const F32 result = log_reduced(s.e, select(near, x, s.m - broadcast(1.0f)), low);
  return log_special(sum.high, select(abs(x) < broadcast(0.5f), with_sign_of(result, x), result));
}

// log(1 + x) for x in [0, 1]: 1 + x is 1 + r, or 2·(1 + r), with an exact r.
inline F32 log1p_unit(F32 x) {
  const Mask high = broadcast(0.41421357f) < x;
  const F32 r = select(high, x * broadcast(0.5f) - broadcast(0.5f), x);
  return log_reduced(select(high, broadcast(1.0f), zero()), r, zero());
}

// max(x, 0) + log(1 + e^-|x|).
inline F32 softplus(F32 x) { return max(zero(), x) + log1p_unit(exp(negative_abs(x))); }

// 1 / d, within 2^-28 of it before it is rounded: a step of Newton from an estimate.
inline F32 reciprocal_of(Pair d) {
  const F32 q = reciprocal_estimate(d.high);
  return fma(q, fnma(q, d.low, remainder(broadcast(1.0f), q, d.high)), q);
}

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

inline F32 elu(F32 x, F32 alpha) { return select(zero() < x, x, alpha * expm1(x)); }

// x + x³·P(x²) up to 0.625 (the error of P is 2^-27), and 1 - 2 / (e^2x + 1) from there on. At 10 it is 1 already.
inline F32 tanh(F32 x) {
  constexpr float kP[] = {-0.005704985f, 0.020639084f, -0.053739715f, 0.13331442f, -0.3333328f};
  const F32 one = broadcast(1.0f);
  const F32 a = abs(x);
  const F32 square = a * a;
  const F32 small = fma(a * square, polynomial(square, kP), a);
  const F32 twice = min(broadcast(20.0f), a + a);
  const F32 n = round(twice * broadcast(1.44269504f));
  const F32 r = fnma(n, broadcast(kLn2Low), fnma(n, broadcast(kLn2High), twice));
  const F32 scale = power_of_two(n);
  const F32 power_less_scale = exp_tail(r, r);
  const F32 one_and_scale = scale + one;
  const F32 divisor = fma(scale, power_less_scale, one_and_scale);
  const F32 divisor_low = fma(scale, power_less_scale, one_and_scale - divisor);
  const F32 q = broadcast(2.0f) / divisor;
  const F32 difference = one - q;
  const F32 large = difference + fma(q * q * broadcast(0.5f), divisor_low, (one - difference) - q);
  return with_sign_of(select(a < broadcast(0.625f), small, large), x);
}

inline F32 reciprocal(F32 x) { return broadcast(1.0f) / x; }

// 1 / √x, and one step of Newton from there: y + y·(1 - x·y²) / 2.
inline F32 rsqrt(F32 x) {
  // Without fma the exact product would overflow.
  const Mask huge = broadcast(0x1p64f) < x;
  const F32 scaled = select(huge, x * broadcast(0x1p-64f), x);
  const F32 y = broadcast(1.0f) / sqrt(scaled);
  const Pair product = two_product(scaled, y);
  const F32 rest = remainder(broadcast(1.0f), product.high, y) - product.low * y;
  const F32 better = fma(y * broadcast(0.5f), rest, y);
  const F32 result = select(abs(rest) < broadcast(1.0f), better, y);  // y at 0, ∞ and NaN
  return select(huge & (x < broadcast(kInfinity)), result * broadcast(0x1p-32f), result);
}
