// Counter-based random numbers, the same bits on every instruction set: Philox 4x32-10 (Salmon et al., "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011). Element i is word i mod 4 of the block with counter i / 4. The
// arithmetic of the normal distribution is plain IEEE double, written in this order in the reference backend too.
#pragma once

inline I32 broadcast_word(uint64_t word) { return broadcast(static_cast<int32_t>(static_cast<uint32_t>(word))); }

// Four words of each of kLanes blocks, in the order of their elements.
struct Words {
  I32 v[4];
};

inline Words interleave(I32 w0, I32 w1, I32 w2, I32 w3) {
  const I32 even_low = zip_low(w0, w2), even_high = zip_high(w0, w2);
  const I32 odd_low = zip_low(w1, w3), odd_high = zip_high(w1, w3);
  return {{zip_low(even_low, odd_low), zip_high(even_low, odd_low), zip_low(even_high, odd_high),
           zip_high(even_high, odd_high)}};
}

// Block first_block + lane in each lane.
inline Words philox(const int32_t* key, uint64_t first_block) {
  const I32 multiplier0 = broadcast_word(0xD2511F53), multiplier1 = broadcast_word(0xCD9E8D57);
  const I32 top_bit = broadcast(INT32_MIN);
  I32 c0 = broadcast_word(first_block) + lane_numbers();
  const Mask carry = (c0 ^ top_bit) < (broadcast_word(first_block) ^ top_bit);  // compared as unsigned
  I32 c1 = broadcast_word(first_block >> 32) + select(carry, broadcast(1), broadcast(0));
  I32 c2 = broadcast(0), c3 = broadcast(0);
  I32 key0 = broadcast(key[0]), key1 = broadcast(key[1]);
  for (int round = 0; round < 10; ++round) {
    const I32 high0 = multiply_high(c0, multiplier0), low0 = c0 * multiplier0;
    const I32 high1 = multiply_high(c2, multiplier1), low1 = c2 * multiplier1;
    c0 = high1 ^ c1 ^ key0;
    c1 = low1;
    c2 = high0 ^ c3 ^ key1;
    c3 = low0;
    key0 = key0 + broadcast_word(0x9E3779B9);
    key1 = key1 + broadcast_word(0xBB67AE85);
  }
  return interleave(c0, c1, c2, c3);
}

// In [0, 1): the high 24 bits.
struct Uniform {
  static F32 of(I32 words) { return to_float(shift_right_unsigned<8>(words)) * broadcast(0x1p-24f); }
};

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
  double m;
  __builtin_memcpy(&m, &pattern, sizeof m);
  if (m > 1.4142135623730951) {
    m = m / 2;
    e = e + 1;
  }
  const double s = (m - 1) / (m + 1);
  return static_cast<double>(e) * 0.6931471805599453 + (2 * s) * horner(s * s, kAtanh);
}

// Wichura, "Algorithm AS 241: the percentage points of the normal distribution", Applied Statistics 37 (1988), PPND16,
// without its third case, √(-log u) > 5: the least u here is 2^-33, for which it is 4.8.
inline double inverse_normal(double u) {
  constexpr double kA[] = {2.5090809287301226727e3, 3.3430575583588128105e4, 6.7265770927008700853e4,
                           4.5921953931549871457e4, 1.3731693765509461125e4, 1.9715909503065514427e3,
                           1.3314166789178437745e2, 3.3871328727963666080e0};
  constexpr double kB[] = {5.2264952788528545610e3, 2.8729085735721942674e4, 3.9307895800092710610e4,
                           2.1213794301586595867e4, 5.3941960214247511077e3, 6.8718700749205790830e2,
                           4.2313330701600911252e1, 1.0};
  constexpr double kC[] = {7.74545014278341407640e-4, 2.27238449892691845833e-2, 2.41780725177450611770e-1,
                           1.27045825245236838258e0,  3.64784832476320460504e0,  5.76949722146069140550e0,
                           4.63033784615654529590e0,  1.42343711074968357734e0};
  constexpr double kD[] = {1.05075007164441684324e-9, 5.47593808499534494600e-4, 1.51986665636164571966e-2,
                           1.48103976427480074590e-1, 6.89767334985100004550e-1, 1.67638483018380384940e0,
                           2.05319162663775882187e0,  1.0};
  const double q = u - 0.5;
  if (q >= -0.425 && q <= 0.425) {
    const double r = 0.180625 - q * q;
    return q * horner(r, kA) / horner(r, kB);
  }
  const double r = __builtin_sqrt(-log_double(q < 0 ? u : 1 - u)) - 1.6;
  const double x = horner(r, kC) / horner(r, kD);
  return q < 0 ? -x : x;
}

struct Normal {
  static F32 of(I32 words) {
    int32_t word[kLanes];
    float x[kLanes];
    store(word, words);
    for (int lane = 0; lane < kLanes; ++lane) {
      const double u = (static_cast<double>(static_cast<uint32_t>(word[lane])) + 0.5) * 0x1p-32;
      x[lane] = static_cast<float>(inverse_normal(u));
    }
    return load(x);
  }
};

template <class Distribution>
void random_kernel(const int32_t* key, float* out, int64_t begin, int64_t end) {
  for (int64_t i = begin; i < end;) {
    const Words words = philox(key, static_cast<uint64_t>(i) / 4);
    for (int part = 0; part < 4 && i < end; ++part, i += kLanes) {
      const F32 values = Distribution::of(words.v[part]);
      if (end - i >= kLanes) {
        store(out + i, values);
      } else {
        store_partial(out + i, values, static_cast<int>(end - i));
      }
    }
  }
}
