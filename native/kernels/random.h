// Counter-based random numbers, the same bits on every instruction set: Philox 4x32-10 (Salmon et al., "Parallel
// random numbers: as easy as 1, 2, 3", SC 2011). Element i is word i mod 4 of the block with counter i / 4.
#pragma once

#include "math/distributions.h"
#include "simd/vectors.h"

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

// f of a number in (0, 1), lane by lane.
template <double (*f)(double)>
struct OfUnit {
  static F32 of(I32 words) {
    int32_t word[kLanes];
    float x[kLanes];
    store(word, words);
    for (int lane = 0; lane < kLanes; ++lane) x[lane] = static_cast<float>(f(unit(static_cast<uint32_t>(word[lane]))));
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
