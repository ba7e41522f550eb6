// exp, log, tanh, sigmoid, softplus and pow over F32. The polynomials are minimax (Remez); ±0, infinities, NaN and
// denormal inputs and outputs are those of IEEE 754. math_test.cc states and measures the errors.
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

// c[0]·x^(n-1) + … + c[n-1].
template <int n>
inline F32 polynomial(F32 x, const float (&c)[n]) {
  F32 sum = broadcast(c[0]);
  for (int i = 1; i < n; ++i) sum = fma(sum, x, broadcast(c[i]));
  return sum;
}

// x = n·ln 2 + r with integral n and |r| <= ln 2 / 2 (Cody and Waite). What would overflow or vanish is brought to
// where it just does; NaN passes.
struct ExpArgument {
  F32 n, r;
};
inline ExpArgument reduce_exp(F32 x) {
  x = min(broadcast(89.0f), max(broadcast(-104.0f), x));
  const F32 n = round(x * broadcast(1.44269504f));
  return {n, fma(n, broadcast(-kLn2Low), fma(n, broadcast(-kLn2High), x))};
}

// 2^n·e^r, e^r = 1 + r + r²·P(r). The error of P is 2^-28 of e^r.
inline F32 exp_reduced(ExpArgument a) {
  constexpr float kP[] = {0.0013814539f, 0.008368745f, 0.04166839f, 0.16666521f, 0.49999994f};
  const F32 tail = fma(a.r * a.r, polynomial(a.r, kP), a.r);
  return ldexp(tail + broadcast(1.0f), a.n);
}

inline F32 exp(F32 x) { return exp_reduced(reduce_exp(x)); }

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

// e·ln 2 + log(1 + r) for r in [√½ - 1, √2 - 1]; log(1 + r) = r - r²/2 + r³·P(r). The error of P is 2^-30 of the log.
inline F32 log_reduced(F32 e, F32 r) {
  constexpr float kP[] = {0.06746643f,  -0.11675652f, 0.11888161f, -0.124055885f, 0.14219552f,
                          -0.16667996f, 0.20002119f,  -0.2500001f, 0.33333313f};
  const F32 half = r * broadcast(-0.5f);
  const F32 tail = fma(half, r, fma(e, broadcast(kLn2Low), r * r * r * polynomial(r, kP)));
  return fma(e, broadcast(kLn2High), r + tail);
}

inline F32 log(F32 x) {
  const Split s = split(x);
  F32 result = log_reduced(s.e, s.m - broadcast(1.0f));
  result = select(x < broadcast(kInfinity), result, x);
  result = select(x < zero(), broadcast(kNaN), result);
  return select(x == zero(), broadcast(-kInfinity), result);
}

// log(1 + x) for x in [0, 1]: 1 + x is 1 + r, or 2·(1 + r), with an exact r.
inline F32 log1p_unit(F32 x) {
  const Mask high = broadcast(0.41421357f) < x;
  const F32 r = select(high, x * broadcast(0.5f) - broadcast(0.5f), x);
  return log_reduced(select(high, broadcast(1.0f), zero()), r);
}

// max(x, 0) + log(1 + e^-|x|).
inline F32 softplus(F32 x) { return max(zero(), x) + log1p_unit(exp(negative_abs(x))); }

// 1 / (1 + e^-x), and for negative x e^x / (1 + e^x), which does not overflow. What the sum 1 + e loses is given back
// as q·lost / (1 + e), for which 1 / (1 + e) ≈ 1 - e/2 is near enough.
inline F32 sigmoid(F32 x) {
  const F32 one = broadcast(1.0f);
  const F32 power = exp(negative_abs(x));
  const F32 sum = power + one;
  const F32 lost = power - (sum - one);
  const F32 quotient = select(x < zero(), power, one) / sum;
  return fma(quotient * lost, fma(power, broadcast(0.5f), broadcast(-1.0f)), quotient);
}

// x + x³·P(x²) up to 0.625 (the error of P is 2^-27), and 1 - 2 / (e^2x + 1) from there on.
inline F32 tanh(F32 x) {
  constexpr float kP[] = {-0.005704985f, 0.020639084f, -0.053739715f, 0.13331442f, -0.3333328f};
  const F32 a = abs(x);
  const F32 square = a * a;
  const F32 small = fma(a * square, polynomial(square, kP), a);
  const F32 large = broadcast(1.0f) - broadcast(2.0f) / (exp(a + a) + broadcast(1.0f));
  return flip_sign(select(a < broadcast(0.625f), small, large), sign_bit(x));
}
