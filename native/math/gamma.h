// The logarithm of the gamma function, and its derivatives.
#pragma once

#include "math/pair.h"
#include "math/polynomial.h"
#include "math/pow.h"
#include "math/rounding.h"
#include "simd/vectors.h"

// z·(c + low + z·P(z)), with one rounding of the size of the result. P(z) are the coefficients but the last, which is
// c.
template <int n>
inline F32 times_polynomial(F32 z, const float (&c)[n], float low) {
  F32 tail = broadcast(c[0]);
  for (int i = 1; i < n - 1; ++i) tail = fma(tail, z, broadcast(c[i]));
  return multiply_add(z, broadcast(c[n - 1]), z * fma(tail, z, broadcast(low)));
}

// log Γ(1 + z) for z in [-½, ½], and log Γ(2 + z) for z in [-0.57, 1]: z times a polynomial (minimax) with an error of
// 2^-28 and 2^-29.
inline F32 lgamma_near_one(F32 z) {
  constexpr float kP[] = {0.15661193f,  -0.17743887f, 0.05310673f, -0.050750375f, 0.10465953f,
                          -0.11868466f, 0.12523162f,  -0.143383f,  0.16955888f,   -0.20741381f,
                          0.27058113f,  -0.4006852f,  0.822467f,   -0.5772157f};
  return times_polynomial(z, kP, 5.4562763e-09f);
}
inline F32 lgamma_near_two(F32 z) {
  constexpr float kP[] = {-2.5584608e-05f, 1.07977e-04f, -2.4459837e-04f, 5.1241845e-04f, -0.0011854857f, 0.002888937f,
                          -0.007386599f,   0.020580994f, -0.06735224f,    0.32246703f,    0.42278433f};
  return times_polynomial(z, kP, 6.036453e-09f);
}

// Stirling's formula for x >= 3: x·(log x - 1) - (log x)/2 + log(2π)/2 + B(1/x²)/x, the error of which is 2^-34 of the
// result. For large x the first term is all there is; a bounded x keeps its exact product finite.
inline F32 lgamma_stirling(F32 x, Pair log) {
  constexpr float kB[] = {-4.0857896e-04f, 7.749457e-04f, -0.0027769548f, 0.08333332f};
  constexpr float kHalfLogTwoPi = 0.9189385f, kHalfLogTwoPiLow = 2.1519132e-8f;
  const F32 bounded = min(broadcast(0x1p40f), x);
  const Pair less_one = quick_two_sum(log.high - broadcast(1.0f), log.low);
  const Pair product = two_product(bounded, less_one.high);
  const Pair half = two_sum(broadcast(kHalfLogTwoPi), log.high * broadcast(-0.5f));
  const Pair sum = two_sum(product.high, half.high);
  const F32 inverse = broadcast(1.0f) / bounded;
  const F32 series = fma(polynomial(inverse * inverse, kB), inverse, broadcast(kHalfLogTwoPiLow));
  const F32 low = fma(bounded, less_one.low, product.low) + fma(log.low, broadcast(-0.5f), half.low + sum.low);
  const F32 large = fma(x, less_one.low, x * less_one.high);
  return select(broadcast(0x1p40f) < x, large, sum.high + (low + series));
}

// In double, which is exact enough where the function of negative numbers has its zeros, too.
inline float lgamma_lane(float x) { return x < 0 ? static_cast<float>(log_gamma(static_cast<double>(x))) : x; }
__attribute__((noinline)) static F32 lgamma_lanes(F32 x) {
  return by_lanes<float>(x, x, [](float a, float) { return lgamma_lane(a); });
}

// log |Γ(x)|. Below ½ it is log Γ(1 + x) - log x; negative lanes each by itself.
inline F32 lgamma(F32 x) {
  const F32 one = broadcast(1.0f);
  const Pair log = log_pair(x);
  const Mask small = x < broadcast(0.5f);
  const F32 near_one = lgamma_near_one(min(broadcast(0.5f), select(small, x, x - one)));
  const F32 near_two = lgamma_near_two(min(one, x - broadcast(2.0f)));
  const F32 below_half = select(small, (near_one - log.low) - log.high, near_one);
  F32 result = select(x < broadcast(1.43f), below_half, near_two);
  result = select(x < broadcast(3.0f), result, lgamma_stirling(x, log));
  result = select(x < broadcast(kInfinity), result, x);
  result = select(x == zero(), broadcast(kInfinity), result);
  const Mask negative = x < zero();
  return any(negative) ? select(negative, lgamma_lanes(x), result) : result;
}

// The number less its nearest integer, exactly. From 2^23 on all floats are integers.
inline double distance_to_integer(double x) {
  if (!(x > -0x1p23 && x < 0x1p23)) return 0;
  return x - static_cast<double>(static_cast<int32_t>(x < 0 ? x - 0.5 : x + 0.5));
}

// ψ(x) = ψ(1 - x) - π / tan(πx). From 8 on ψ(y) is log y - 1/(2y) - Σ B₂ₖ/(2k·y²ᵏ), and below by ψ(y) = ψ(y + 1) - 1/y.
inline float digamma_lane(float x) {
  if (!(x < 0)) return x;
  const double distance = distance_to_integer(static_cast<double>(x));
  if (distance == 0) return kNaN;
  double y = 1 - static_cast<double>(x), sum = 0;
  for (; y < 8; y += 1) sum -= 1 / y;
  const double t = 1 / (y * y);
  const double series =
      t * (1.0 / 12 - t * (1.0 / 120 - t * (1.0 / 252 - t * (1.0 / 240 - t * (1.0 / 132 - t * (691.0 / 32760))))));
  sum += __builtin_log(y) - 0.5 / y - series;
  return static_cast<float>(sum - 3.141592653589793 / __builtin_tan(3.141592653589793 * distance));
}
__attribute__((noinline)) static F32 digamma_lanes(F32 x) {
  return by_lanes<float>(x, x, [](float a, float) { return digamma_lane(a); });
}

// ψ(x) = Γ'(x) / Γ(x). On [1, 2] it is x less its root there, times a polynomial with an error of 2^-27; below it is
// ψ(1 + x) - 1/x, and above log x - 1/(2x) - G(1/x²)/x² with an error of 2^-31. Negative lanes each by itself.
inline F32 digamma(F32 x) {
  constexpr float kS[] = {0.011089505f,  -0.016372716f, 0.016998548f, -0.025787931f, 0.040875394f,
                          -0.062055625f, 0.09498243f,   -0.1483989f,  0.2405426f,    -0.4236275f};
  constexpr float kG[] = {0.0019170186f, -0.0030759897f, 0.0038466824f, -0.0083266515f, 0.0833332f};
  const F32 one = broadcast(1.0f);
  const Mask below_one = x < one;
  const F32 z = min(one, select(below_one, x, x - one));
  const F32 from_root = (z - broadcast(0.46163213f)) - broadcast(1.2438150e-8f);
  const F32 v = z - broadcast(0.5f), tail_of_s = fma(polynomial(v, kS), v, broadcast(-8.720198e-9f));
  const F32 on_unit = multiply_add(from_root, broadcast(0.9510559f), from_root * tail_of_s);
  const F32 inverse = one / x;
  const F32 small = select(below_one, on_unit - inverse, on_unit);
  const Pair log = log_pair(x);
  const F32 tail = fma(inverse * inverse, polynomial(inverse * inverse, kG), inverse * broadcast(0.5f));
  F32 result = select(x <= broadcast(2.0f), small, log.high - (tail - log.low));
  result = select(x < broadcast(kInfinity), result, x);
  const Mask negative = x < zero();
  return any(negative) ? select(negative, digamma_lanes(x), result) : result;
}

// n!·Σ 1/(q + k)ⁿ⁺¹ over k >= 0, for q > 0: Hurwitz's zeta function by the formula of Euler and Maclaurin, relative to
// its first term. From a on, which is at least `least`, the terms of the formula fall by 0.03 each where that is n +
// 11, and by 0.007 where it is 2n + 12.
inline double zeta_with_factorial(double q, int n, double least) {
  constexpr double kBernoulli[] = {1.0 / 12,         -1.0 / 720,     1.0 / 30240,
                                   -1.0 / 1209600,   1.0 / 47900160, -691.0 / 1307674368000,
                                   1.0 / 74724249600};  // B₂ⱼ / (2j)!
  const double s = n + 1;
  double factor = 1, sum = 0, a = q, power = 1;  // (q/a)ˢ
  for (int k = 1; k <= n; ++k) factor *= k / q;
  for (; a < least && power > 1e-18 * sum; a += 1, power = __builtin_pow(q / a, s)) sum += power;
  double term = s / a, tail = a / n + 0.5;
  for (int j = 0; j < 7; ++j) {
    tail += kBernoulli[j] * term;
    term *= (s + 2 * j + 1) * (s + 2 * j + 2) / (a * a);
  }
  return factor * ((power > 1e-18 * sum ? sum + power * tail : sum) / q);
}

// The n-th derivative of ψ, for n from 1 to 170: (-1)ⁿ⁺¹·n!·Σ 1/(x + k)ⁿ⁺¹ over k >= 0. Where x is negative, the sum is
// one over the x + k above 0, and one over those below, which are the ones from some place less the ones from 1 - x.
// `distance` is x less its nearest integer.
inline double polygamma_of(double x, double order, double distance, bool is_double) {
  if (!(order >= 1 && order <= 170) || x != x || x == -__builtin_inf()) return __builtin_nan("");
  const int n = static_cast<int>(order);
  if (n != order) return __builtin_nan("");
  const double sign = n % 2 == 0 ? -1 : 1, least = is_double ? 2 * n + 12 : n + 11;
  if (x > 0) return x < __builtin_inf() ? sign * zeta_with_factorial(x, n, least) : sign * 0.0;
  if (distance == 0) return sign * __builtin_inf();
  const double above = distance > 0 ? distance : 1 + distance, below = distance > 0 ? 1 - distance : -distance;
  const double both = sign * zeta_with_factorial(above, n, least) + zeta_with_factorial(below, n, least);
  return both - zeta_with_factorial(1 - x, n, least);
}
inline float polygamma_lane(float x, float order) {
  const double number = static_cast<double>(x);
  return static_cast<float>(polygamma_of(number, static_cast<double>(order), distance_to_integer(number), false));
}
// Not every region that has it has a micro-op of it.
__attribute__((noinline, unused)) static F32 polygamma(F32 x, F32 order) {
  return by_lanes<float>(x, order, polygamma_lane);
}
