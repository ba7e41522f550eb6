// The error function, and gelu in both forms.
#pragma once

// x + x·P(x² - 0.4375) up to 0.93, and 1 - e^(x·Q(x) + c) from there to 4, where it is 1. The errors are 2^-30 and 2^-34. The
// exponent keeps what its last product loses.
inline F32 erf(F32 x) {
  constexpr float kP[] = {8.083714e-5f, -5.945742e-4f, 3.660862e-3f,  -0.019176004f,
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

// Φ(-a)·e^(a²/2) = G(t) / (a + 2.5) for a in [0, 15], t = (a - 2.5) / (a + 2.5) (the transformation of Shepherd and Laframboise,
// "Chebyshev approximation of (1 + 2x)exp(x²)erfc x", 1981). The error of G is 2^-27. It is a product of rounded factors, each of
// which keeps what it lost.
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

// max(x, 0) - |x|·Φ(-|x|). From 15 on the tail vanishes.
inline F32 gelu(F32 x) {
  const F32 a = min(broadcast(15.0f), abs(x));
  const Pair scaled = multiply(scaled_normal_tail({a, zero()}), a);
  const ScaledPair power = quick_exp_of_pair(two_product(a, a * broadcast(-0.5f)));
  return max(zero(), x) - ldexp(rounded_product(scaled, power.mantissa), power.n);
}

// 2·Φ(-√2·x), and 2 less that of -x below 0. From 10.5 on it vanishes.
inline F32 erfc(F32 x) {
  const F32 a = min(broadcast(10.5f), abs(x));
  const Pair scaled = scaled_normal_tail(multiply({broadcast(1.4142135f), broadcast(2.4203235e-8f)}, a));
  const ScaledPair power = quick_exp_of_pair(two_product(a, zero() - a));
  const F32 result = ldexp(rounded_product(scaled, power.mantissa), power.n + broadcast(1.0f));
  return select(x < zero(), broadcast(2.0f) - result, result);
}

// x·sigmoid(2·√(2/π)·(x + 0.044715·x³)), which is x·(1 + tanh √(2/π)(…)) / 2, with an argument of two floats: an error in it is
// multiplied by up to 112 in the result. From -11 down it vanishes.
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
