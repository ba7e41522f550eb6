// The error function and its inverse, and gelu in both forms.
#pragma once

#include "math/exp.h"
#include "math/log.h"
#include "math/pair.h"
#include "math/polynomial.h"
#include "math/sigmoid.h"
#include "math/signs.h"
#include "simd/vectors.h"

// x + x·P(x² - 0.4375) up to 0.93, and 1 - e^(x·Q(x) + c) from there to 4, where it is 1. The errors are 2^-30 and
// 2^-34. The exponent keeps what its last product loses.
inline F32 erf(F32 x) {
  constexpr float kP[] = {8.083714e-5f, -5.945742e-4f, 3.660862e-3f, -0.019176004f,
                          0.08292113f,  -0.29121614f,  -0.016649537f};
  constexpr float kQ[] = {-2.1504486e-5f, 4.3918006e-4f, -4.193875e-3f, 0.02517946f,
                          -0.10837299f,   -0.63326234f,  -1.1295569f};
  constexpr float kC = 1.8344559e-4f;
  const F32 a = abs(x);
  const F32 small = fma(a, polynomial(fma(a, a, broadcast(-0.4375f)), kP), a);
  const F32 bounded = min(broadcast(4.0f), a);
  const Pair exponent = two_product(bounded, polynomial(bounded, kQ));
  const ScaledPair power = quick_exp_of_pair({exponent.high, exponent.low + broadcast(kC)});
  const F32 large = broadcast(1.0f) - ldexp(power.mantissa.high + power.mantissa.low, power.n);
  return with_sign_of(select(a < broadcast(0.93f), small, large), x);
}

// Φ(-a)·e^(a²/2) = G(t) / (a + 2.5) for a in [0, 15], t = (a - 2.5) / (a + 2.5) (the transformation of Shepherd and
// Laframboise, "Chebyshev approximation of (1 + 2x)exp(x²)erfc x", 1981). The error of G is 2^-27. It is a product of
// rounded factors, each of which keeps what it lost.
inline Pair scaled_normal_tail(Pair a) {
  constexpr float kCentre = 2.5f;
  constexpr float kG[] = {-2.3768025e-5f, -1.9194942e-4f, -2.907059e-4f, 7.256588e-4f, 2.5195696e-3f,
                          -1.6177164e-3f, -0.016386457f,  9.238502e-3f,  0.13198708f,  -0.43369213f};
  constexpr float kConstant = 0.70665663f, kConstantLow = 2.209529e-8f;
  const F32 one = broadcast(1.0f);
  Pair divisor = two_sum(a.high, broadcast(kCentre));
  divisor.low = divisor.low + a.low;
  const F32 estimate = reciprocal_estimate(divisor.high);
  const F32 inverse = fma(estimate, remainder(one, estimate, divisor.high), estimate);
  const F32 inverse_low = (remainder(one, inverse, divisor.high) - divisor.low * inverse) * inverse;
  const F32 t = fma(broadcast(-2 * kCentre), inverse_low, fma(broadcast(-2 * kCentre), inverse, one));
  const Pair slope = two_product(t, split_polynomial(t, kG));
  Pair g = quick_two_sum(broadcast(kConstant), slope.high);
  g.low = g.low + (slope.low + broadcast(kConstantLow));
  return multiply({inverse, inverse_low}, g);
}

// Φ(-a)·e^(a²/2) in 16 segments of [0, 15), four between powers of two of a + 1: value + d·P(d) of d = a - centre, the
// centres being such that the values there are floats within 2^-32. The error is 2^-27.
constexpr float kTailCentre[16] = {0.12500216f, 0.3750021f, 0.62500024f, 0.87501925f, 1.2500103f, 1.750042f,
                                   2.2500257f,  2.7500734f, 3.5000546f,  4.500178f,   5.500189f,  6.500113f,
                                   8.000131f,   10.000067f, 12.000008f,  14.000026f};
constexpr float kTailValue[16] = {0.45379248f,  0.3796039f,   0.32335612f,  0.2797676f,  0.23075919f, 0.18522853f,
                                  0.15365057f,  0.13072184f,  0.106343694f, 0.08480031f, 0.07034042f, 0.060014676f,
                                  0.049121767f, 0.039506435f, 0.03301895f,  0.028352609f};
constexpr float kTailP[6][16] = {
    {0.007592064f, 0.0043373764f, 0.0022521496f, 0.001419916f, 0.00060829276f, 0.00023045707f, 9.415039e-05f,
     4.1906555e-05f, 1.4037281e-05f, 3.8481726e-06f, 1.2547537e-06f, 4.7188607e-07f, 1.3133445e-07f, 3.1188385e-08f,
     9.294353e-09f, 3.2635932e-09f},
    {-0.019937055f, -0.011508426f, -0.006666773f, -0.0041138614f, -0.0019990425f, -0.0008355647f, -0.00037551468f,
     -0.00018092355f, -6.8909714e-05f, -2.2011614e-05f, -8.238006e-06f, -3.488894e-06f, -1.1578501e-06f,
     -3.3281663e-07f, -1.1755344e-07f, -4.8107665e-08f},
    {0.04807997f, 0.029060168f, 0.018050577f, 0.011492144f, 0.00610258f, 0.0028236685f, 0.0014067749f, 0.0007470727f,
     0.00032012374f, 0.00012067472f, 5.2236686e-05f, 2.5176189e-05f, 9.826996e-06f, 3.4637185e-06f, 1.4510341e-06f,
     6.888563e-07f},
    {-0.10550969f, -0.06781635f, -0.044748217f, -0.030248052f, -0.017528666f, -0.009074644f, -0.0050310744f,
     -0.0029565506f, -0.0014589395f, -0.0006516875f, -0.0003280073f, -0.00018087904f, -8.427104e-05f, -3.6276186e-05f,
     -1.7992406e-05f, -9.881552e-06f},
    {0.2055073f, 0.14169107f, 0.100164086f, 0.072445974f, 0.046322197f, 0.027176177f, 0.016946979f, 0.011118981f,
     0.0063874125f, 0.0034155622f, 0.002013137f, 0.0012765068f, 0.0007135973f, 0.00037664286f, 0.00022172023f,
     0.00014109832f},
    {-0.34221724f, -0.25659004f, -0.19684462f, -0.15414025f, -0.11049093f, -0.07478459f, -0.05322455f, -0.039447628f,
     -0.02673355f, -0.017325802f, -0.012056704f, -0.008840103f, -0.005961726f, -0.0038752893f, -0.0027146242f,
     -0.0020050257f}};

// The sum and what rounding takes from it.
inline Pair scaled_normal_tail_in_segments(F32 a) {
  const I32 segment = shift_right<21>(bits(a + broadcast(1.0f)) - bits(broadcast(1.0f)));
  const F32 d = a - look_up(kTailCentre, segment);
  F32 p = look_up(kTailP[0], segment);
  for (int i = 1; i < 6; ++i) p = fma(p, d, look_up(kTailP[i], segment));
  return quick_two_sum(look_up(kTailValue, segment), p * d);
}

// max(x, 0) - |x|·Φ(-|x|). From 14.75 on the tail vanishes.
inline F32 gelu(F32 x) {
  const F32 a = min(broadcast(14.75f), abs(x));
  const ScaledPair power = quick_exp_of_pair(two_product(a, a * broadcast(-0.5f)));
  const F32 tail = rounded_product(scaled_normal_tail_in_segments(a), power.mantissa);
  return max(zero(), x) - ldexp(a * tail, power.n);
}

// S(a) = Φ(-a)·e^(a²/2) - a/√(2π) in the same segments, its root being the centre of the third and the fourth: that of
// the derivative of gelu. All centres have the same low part, for its sake. The error is 2^-28.
constexpr float kSlopeCentreLow = -1.2114449e-8f;
constexpr float kSlopeCentre[16] = {0.1250041f, 0.37500146f, 0.75179154f, 0.75179154f, 1.2500622f, 1.7500151f,
                                    2.250193f,  2.750031f,   3.5000057f,  4.4998097f,  5.499507f,  6.500263f,
                                    8.000413f,  10.000819f,  12.000172f,  13.875111f};
constexpr float kSlopeValue[16] = {0.4039224f,  0.23000012f, 0.0f,        0.0f,        -0.26794922f, -0.5129245f,
                                   -0.7440555f, -0.9663801f, -1.2899553f, -1.7103577f, -2.1236372f,  -2.5332165f,
                                   -3.142583f,  -3.950246f,  -4.7543573f, -5.506763f};
constexpr float kSlopeP[6][16] = {
    {0.007427848f, 0.0035871372f, 0.0024560303f, 0.0011735763f, 0.00065594015f, 0.00023097738f, 9.1368296e-05f,
     4.1520558e-05f, 1.3963823e-05f, 4.15327e-06f, 1.0700481e-06f, 6.2861375e-07f, 1.3908819e-07f, 2.9144315e-08f,
     8.635649e-09f, 2.7136178e-09f},
    {-0.019916842f, -0.011315341f, -0.004859031f, -0.004926221f, -0.0019883045f, -0.00083456316f, -0.00037892928f,
     -0.00018013005f, -6.930946e-05f, -2.1532558e-05f, -8.677387e-06f, -3.0750355e-06f, -1.1282453e-06f, -3.506953e-07f,
     -1.276984e-07f, -9.260553e-08f},
    {0.048083324f, 0.029076865f, 0.014373298f, 0.014265828f, 0.0060979077f, 0.0028236802f, 0.0014066899f,
     0.00074718794f, 0.00032016516f, 0.00012060489f, 5.233186e-05f, 2.5116551e-05f, 9.814957e-06f, 3.4647512e-06f,
     1.4514947e-06f, 7.188136e-07f},
    {-0.10550976f, -0.06782063f, -0.036576025f, -0.036576934f, -0.017528312f, -0.009075038f, -0.005029826f,
     -0.0029567478f, -0.0014588638f, -0.0006520358f, -0.0003279978f, -0.00018100855f, -8.430106e-05f, -3.624055e-05f,
     -1.7977243e-05f, -1.0188303e-05f},
    {0.20550667f, 0.14169112f, 0.08475659f, 0.08475617f, 0.046319544f, 0.027176913f, 0.01694445f, 0.011119354f,
     0.006387625f, 0.0034162914f, 0.0020138025f, 0.0012764303f, 0.0007135288f, 0.00037656078f, 0.00022171154f,
     0.00014486807f},
    {-0.7411587f, -0.6555325f, -0.5724062f, -0.5724062f, -0.5094284f, -0.47372833f, -0.45216116f, -0.43839085f,
     -0.42567647f, -0.41627058f, -0.41100174f, -0.407782f, -0.4049036f, -0.402817f, -0.40165684f, -0.40098304f}};

// Φ(x) + x·φ(x) with the density φ: D = e^(-a²/2)·S(a) for x = -a, and 1 - D for x = a. From 14.75 on D vanishes.
inline F32 gelu_derivative(F32 x) {
  const F32 a = min(broadcast(14.75f), abs(x));
  const I32 segment = shift_right<21>(bits(a + broadcast(1.0f)) - bits(broadcast(1.0f)));
  const Pair d = quick_two_sum(a - look_up(kSlopeCentre, segment), broadcast(-kSlopeCentreLow));
  F32 p = look_up(kSlopeP[0], segment);
  for (int i = 1; i < 6; ++i) p = fma(p, d.high, look_up(kSlopeP[i], segment));
  const Pair product = two_product(p, d.high);
  Pair slope = quick_two_sum(look_up(kSlopeValue, segment), product.high);
  slope.low = slope.low + fma(p, d.low, product.low);
  const ScaledPair power = quick_exp_of_pair(two_product(a, a * broadcast(-0.5f)));
  const F32 below = ldexp(rounded_product(slope, power.mantissa), power.n);
  return select(x < zero(), below, broadcast(1.0f) - below);
}

// 2·Φ(-√2·x), and 2 less that of -x below 0. From 10.5 on it vanishes.
inline F32 erfc(F32 x) {
  const F32 a = min(broadcast(10.5f), abs(x));
  const Pair scaled = scaled_normal_tail(multiply({broadcast(1.4142135f), broadcast(2.4203235e-8f)}, a));
  const ScaledPair power = quick_exp_of_pair(two_product(a, zero() - a));
  const F32 result = ldexp(rounded_product(scaled, power.mantissa), power.n + broadcast(1.0f));
  return select(x < zero(), broadcast(2.0f) - result, result);
}

// x·sigmoid(2·√(2/π)·(x + 0.044715·x³)), which is x·(1 + tanh √(2/π)(…)) / 2, with an argument of two floats: an error
// in it is multiplied by up to 112 in the result. From -11 down it vanishes.
inline F32 gelu_tanh(F32 x) {
  constexpr float kCubic = 0.071354814f, kCubicLow = 2.3988325e-9f, kLinear = 1.5957692f, kLinearLow = -4.534068e-8f;
  const F32 bounded = min(broadcast(11.0f), max(broadcast(-11.0f), x));
  const Pair square = two_product(bounded, bounded);
  const Pair cubic = two_product(square.high, broadcast(kCubic));
  const F32 cubic_low = fma(square.low, broadcast(kCubic), fma(square.high, broadcast(kCubicLow), cubic.low));
  const F32 linear = broadcast(kLinear);
  const Pair factor = quick_two_sum(max(linear, cubic.high), min(linear, cubic.high));
  const F32 factor_low = factor.low + (cubic_low + broadcast(kLinearLow));
  const F32 negative = zero() - bounded;
  const Pair product = two_product(factor.high, negative);
  const Pair argument = {product.high, fma(factor_low, negative, product.low)};
  const auto by_table = [=] { return x * sigmoid_by_table(argument); };
  return within_table(broadcast(kGreatestTableArgument) < argument.high, by_table, [=] {
    const ScaledPair power = exp_of_pair(argument);
    const SigmoidParts s = sigmoid_parts(power.mantissa, power.n);
    return ldexp(s.quotient * max(broadcast(-11.0f), x), zero() - s.shift);
  });
}

// x·P(w - 2.5) with w = -log(1 - x²) up to 5, and x·Q(√w - 3) from there on (the variables of Giles, "Approximating the
// erfinv function", 2010). The errors of P and Q are 2^-28 and 2^-27.
inline F32 erfinv(F32 x) {
  constexpr float kP[] = {4.0952855e-10f, -8.646244e-09f, 1.6940085e-08f, 4.6407447e-07f, -3.4290954e-06f,
                          -4.953181e-06f, 2.182721e-04f,  -0.0012527602f, -0.004177334f,  0.2466403f};
  constexpr float kQ[] = {1.2968903e-04f, -3.1871308e-04f, -7.840045e-05f, 0.0014959162f, -0.0035855626f,
                          0.0056831273f,  -0.00763985f,    0.009445691f,   1.0016751f};
  const F32 one = broadcast(1.0f), a = abs(x);
  const F32 rest = select(a < broadcast(0.5f), multiply_add(a, zero() - a, one), (one - a) * (one + a));
  const F32 w = zero() - log(rest);
  const Mask near = w < broadcast(5.0f);
  const F32 v = select(near, w - broadcast(2.5f), sqrt(w) - broadcast(3.0f));
  const F32 p = fma(polynomial(v, kP), v, broadcast(-5.792081e-08f));
  const F32 q = fma(polynomial(v, kQ), v, broadcast(-2.2479208e-08f));
  const F32 tail = select(near, p, q), constant = select(near, broadcast(1.5014094f), broadcast(2.8329768f));
  const F32 result = multiply_add(a, constant, a * tail);
  return with_sign_of(select(a == one, broadcast(kInfinity), result), x);
}
