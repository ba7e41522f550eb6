// Functions of distributions in plain IEEE double, written in this order in the reference backend too: so the bits are
// the same. Without vectors; included where a namespace wants them.
#pragma once

// A word in (0, 1).
inline double unit(uint32_t word) { return (static_cast<double>(word) + 0.5) * 0x1p-32; }

template <int n>
inline double horner(double x, const double (&c)[n]) {
  double sum = c[0];
  for (int i = 1; i < n; ++i) sum = sum * x + c[i];
  return sum;
}

// log x = e·ln 2 + 2·atanh(s), s = (m - 1) / (m + 1), for normal x > 0.
inline double log_double(double x) {
  constexpr double kAtanh[] = {1.0 / 23, 1.0 / 21, 1.0 / 19, 1.0 / 17, 1.0 / 15, 1.0 / 13,
                               1.0 / 11, 1.0 / 9,  1.0 / 7,  1.0 / 5,  1.0 / 3,  1.0};
  int64_t pattern;
  __builtin_memcpy(&pattern, &x, sizeof x);
  int64_t e = (pattern >> 52) - 1023;
  pattern = (pattern & 0xfffffffffffff) | 0x3ff0000000000000;
  double m = 0;
  __builtin_memcpy(&m, &pattern, sizeof m);
  if (m > 1.4142135623730951) {
    m = m / 2;
    e = e + 1;
  }
  const double s = (m - 1) / (m + 1);
  return static_cast<double>(e) * 0.6931471805599453 + (2 * s) * horner(s * s, kAtanh);
}

// Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988), PPND16.
inline double inverse_normal(double u) {
  constexpr double kA[] = {2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
                           4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
                           1.3314166789178437745e2, 3.3871328727963666080e0};
  constexpr double kB[] = {
      5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4, 2.1213794301586595867e4,
      5.3941960214247511077e3, 6.8718700749205790830e2, 4.2313330701600911252e1, 1.0};
  constexpr double kC[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                           1.27045825245236838258e0,  3.64784832476320460504e0,  5.76949722146069140550e0,
                           4.63033784615654529590e0,  1.42343711074968357734e0};
  constexpr double kD[] = {
      1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2, 1.48103976427480074590e-1,
      6.89767334985100004550e-1, 1.67638483018380384940e0,  2.05319162663775882187e0,  1.0};
  constexpr double kE[] = {2.0103343992922881e-7, 2.7115555687434876e-5, 0.0012426609473880784, 0.026532189526576124,
                           0.29656057182850487,   1.7848265399172913,    5.463784911164114,     6.657904643501103};
  constexpr double kF[] = {2.0442631033899397e-15, 1.421511758316446e-7, 1.8463183175100548e-5, 0.0007868691311456133,
                           0.014875361290850615,   0.1369298809227358,   0.599832206555888,     1.0};
  const double q = u - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * horner(r, kA) / horner(r, kB);
  }
  const double r = __builtin_sqrt(-log_double(q < 0 ? u : 1 - u));
  const double x = r <= 5 ? horner(r - 1.6, kC) / horner(r - 1.6, kD) : horner(r - 5, kE) / horner(r - 5, kF);
  return q < 0 ? -x : x;
}

inline double exponential(double u) { return -log_double(u); }
inline double gumbel(double u) { return -log_double(-log_double(u)); }
