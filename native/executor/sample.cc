// Random numbers of distributions with parameters: the reference's sample.ts, operation by operation, so that the bits
// are the same. Element by element, as each takes as many words as it needs. And doubles of the standard distributions.
#include <algorithm>
#include <cmath>

#include "executor/families.h"
#include "executor/ranges.h"

namespace galvani {
namespace {

#include "math/distributions.h"

struct Block4 {
  uint32_t words[4];
};

// Philox 4x32-10 of one counter: see kernels/random.h.
Block4 philox(const int32_t* key, uint64_t index, uint32_t c2, uint32_t c3) {
  uint32_t c0 = static_cast<uint32_t>(index), c1 = static_cast<uint32_t>(index >> 32);
  uint32_t key0 = static_cast<uint32_t>(key[0]), key1 = static_cast<uint32_t>(key[1]);
  for (int round = 0; round < 10; ++round) {
    const uint64_t product0 = uint64_t{0xD2511F53} * c0, product1 = uint64_t{0xCD9E8D57} * c2;
    c0 = static_cast<uint32_t>(product1 >> 32) ^ c1 ^ key0;
    c1 = static_cast<uint32_t>(product1);
    c2 = static_cast<uint32_t>(product0 >> 32) ^ c3 ^ key1;
    c3 = static_cast<uint32_t>(product0);
    key0 += 0x9E3779B9;
    key1 += 0xBB67AE85;
  }
  return {{c0, c1, c2, c3}};
}

constexpr uint32_t kAttempts = 64;

// The words of one element, block by block.
struct Blocks {
  const int32_t* key;
  uint64_t index;
  Block4 block(uint32_t attempt, uint32_t stream) const { return philox(key, index, attempt, stream); }
};

double exp_double(double x) {
  constexpr double kFactorials[] = {
      1 / 6227020800.0, 1 / 479001600.0, 1 / 39916800.0, 1 / 3628800.0, 1 / 362880.0, 1 / 40320.0, 1 / 5040.0,
      1 / 720.0,        1 / 120.0,       1 / 24.0,       1 / 6.0,       1 / 2.0,      1.0,         1.0};
  if (x < -700) return 0;
  if (x > 700) x = 700;
  const int64_t n = static_cast<int64_t>(x * 1.4426950408889634 + (x < 0 ? -0.5 : 0.5));
  const double whole = static_cast<double>(n);
  const double r = x - whole * 0.6931471803691238 - whole * 1.9082149292705877e-10;
  const int64_t pattern = (n + 1023) << 52;
  double scale;
  __builtin_memcpy(&scale, &pattern, sizeof scale);
  return horner(r, kFactorials) * scale;
}

bool is_positive(double x) { return x > 0 && x < 1e300; }

double log_gamma_variate(const Blocks& blocks, double concentration, uint32_t stream) {
  const double d = (concentration < 1 ? concentration + 1 : concentration) - 1.0 / 3;
  const double c = 1 / std::sqrt(9 * d);
  for (uint32_t attempt = 0;; ++attempt) {
    const Block4 block = blocks.block(attempt, stream);
    const double x = inverse_normal(unit(block.words[0]));
    const double t = 1 + c * x;
    if (t <= 0) continue;
    const double v = t * t * t;
    const bool accepted = log_double(unit(block.words[1])) < 0.5 * x * x + d - d * v + d * log_double(v);
    if (!accepted && attempt < kAttempts) continue;
    const double found = log_double(d) + log_double(v);
    return concentration < 1 ? found + log_double(unit(block.words[2])) / concentration : found;
  }
}

double gamma_variate(const Blocks& blocks, double concentration, double) {
  return is_positive(concentration) ? exp_double(log_gamma_variate(blocks, concentration, 1)) : NAN;
}

double beta_variate(const Blocks& blocks, double a, double b) {
  if (!(is_positive(a) && is_positive(b))) return NAN;
  const double x = log_gamma_variate(blocks, a, 1);
  return 1 / (1 + exp_double(log_gamma_variate(blocks, b, 2) - x));
}

double small_poisson(const Blocks& blocks, double rate) {
  const Block4 block = blocks.block(0, 1);
  const double u =
      (static_cast<double>(block.words[0]) * 0x1p21 + static_cast<double>(block.words[1] >> 11) + 0.5) * 0x1p-53;
  double term = exp_double(-rate), sum = term, k = 0;
  while (u > sum && k < 200) {
    k = k + 1;
    term = term * rate / k;
    sum = sum + term;
  }
  return k;
}

double log_factorial(double k) {
  double z = k + 1, product = 1;
  while (z < 10) {
    product = product * z;
    z = z + 1;
  }
  const double w = 1 / (z * z);
  const double series = (1.0 / 12 - w * (1.0 / 360 - w * (1.0 / 1260 - w * (1.0 / 1680)))) / z;
  return (z - 0.5) * log_double(z) - z + 0.9189385332046727 + series - log_double(product);
}

double large_poisson(const Blocks& blocks, double rate) {
  const double b = 0.931 + 2.53 * std::sqrt(rate), a = -0.059 + 0.02483 * b;
  const double log_inverse_alpha = log_double(1.1239 + 1.1328 / (b - 3.4));
  for (uint32_t attempt = 0;; ++attempt) {
    const Block4 block = blocks.block(attempt, 1);
    const double u = unit(block.words[0]) - 0.5, v = unit(block.words[1]), us = 0.5 - std::fabs(u);
    const double k = std::floor((2 * a / us + b) * u + rate + 0.43);
    if ((us >= 0.07 && v <= 0.9277 - 3.6224 / (b - 2)) || (k >= 0 && attempt >= kAttempts)) return k;
    if (k < 0 || (us < 0.013 && v > us)) continue;
    const double left = log_double(v) + log_inverse_alpha - log_double(a / (us * us) + b);
    if (left <= k * log_double(rate) - rate - log_factorial(k)) return k;
  }
}

double poisson_variate(const Blocks& blocks, double rate, double) {
  if (!(rate >= 0 && rate < 1e300)) return NAN;
  return rate < 10 ? small_poisson(blocks, rate) : large_poisson(blocks, rate);
}

uint32_t word_of(const int32_t* key, int64_t i) { return philox(key, static_cast<uint64_t>(i) / 4, 0, 0).words[i % 4]; }

int32_t integer_in(uint32_t word, int32_t low, int32_t high) {
  const uint32_t range = static_cast<uint32_t>(high) - static_cast<uint32_t>(low);
  const uint32_t above = range == 0 ? word : static_cast<uint32_t>(uint64_t{word} * range >> 32);
  return static_cast<int32_t>(static_cast<uint32_t>(low) + above);
}

double truncated_normal(uint32_t word, double low, double high) {
  const double u = low + (high - low) * unit(word);
  if (u > 0 && u < 1) return inverse_normal(u);
  return u <= 0 ? -INFINITY : u >= 1 ? INFINITY : NAN;
}

struct Parameter {
  Location location;
  bool is_scalar;
  template <typename T>
  T at(const Run& run, int64_t i) const {
    return location.in<const T>(run)[is_scalar ? 0 : i];
  }
};

// element(key, i, a, b) for each element; b is a where there is only one parameter.
template <typename T, typename Element>
std::unique_ptr<PreparedInstruction> prepare_sample_of(int64_t size, Location key, Parameter a, Parameter b,
                                                       Location out, Element element) {
  return prepare_ranges(
      split_work(size, 16, cost::kPerSampledElement), [=](const Run& run, int64_t begin, int64_t end) {
        for (int64_t i = begin; i < end; ++i) {
          out.in<T>(run)[i] = static_cast<T>(element(key.in<const int32_t>(run), i, a.at<T>(run, i), b.at<T>(run, i)));
        }
      });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_floats(Distribution distribution, int64_t size, Location key, Parameter a,
                                                    Parameter b, Location out) {
  const auto by_blocks = [=](auto variate) {
    return prepare_sample_of<T>(size, key, a, b, out,
                                [variate](const int32_t* words_key, int64_t i, double x, double y) {
                                  return variate(Blocks{words_key, static_cast<uint64_t>(i)}, x, y);
                                });
  };
  switch (distribution) {
    case Distribution::k_truncatedNormal:
      return prepare_sample_of<T>(size, key, a, b, out, [](const int32_t* words, int64_t i, double x, double y) {
        return truncated_normal(word_of(words, i), x, y);
      });
    case Distribution::k_gamma: return by_blocks(gamma_variate);
    case Distribution::k_beta: return by_blocks(beta_variate);
    default: return by_blocks(poisson_variate);
  }
}

double uniform(uint32_t word) { return word * 0x1p-32; }

// Element by element of a function of one word.
template <double (*f)(uint32_t)>
std::unique_ptr<PreparedInstruction> prepare_words(int64_t size, Location key, Location out) {
  return prepare_ranges(split_work(size, 16, cost::kPerSampledElement),
                        [=](const Run& run, int64_t begin, int64_t end) {
                          for (int64_t i = begin; i < end;) {
                            const Block4 block = philox(key.in<const int32_t>(run), static_cast<uint64_t>(i) / 4, 0, 0);
                            for (const int64_t last = std::min(end, (i / 4 + 1) * 4); i < last; ++i)
                              out.in<double>(run)[i] = f(block.words[i % 4]);
                          }
                        });
}

template <double (*f)(double)>
double of_unit(uint32_t word) {
  return f(unit(word));
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_sample(const Preparation& preparation, const Instruction& instruction) {
  const auto distribution = std::get<RandomParams>(instruction.params).distribution;
  const Value& result = preparation.program.values[instruction.outputs[0]];
  const Location key = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  const auto parameter = [&](size_t i) {
    return Parameter{preparation.input(instruction, i), preparation.program.values[instruction.inputs[i]].size == 1};
  };
  const Parameter a = parameter(1), b = parameter(instruction.inputs.size() - 1);
  if (distribution == Distribution::k_integer) {
    return prepare_sample_of<int32_t>(
        result.size, key, a, b, out,
        [](const int32_t* words, int64_t i, int32_t x, int32_t y) { return integer_in(word_of(words, i), x, y); });
  }
  return result.dtype == DType::k_float64 ? prepare_floats<double>(distribution, result.size, key, a, b, out)
                                          : prepare_floats<float>(distribution, result.size, key, a, b, out);
}

std::unique_ptr<PreparedInstruction> prepare_standard_doubles(const Preparation& preparation,
                                                              const Instruction& instruction) {
  const int64_t size = preparation.program.values[instruction.outputs[0]].size;
  const Location key = preparation.input(instruction, 0), out = preparation.output(instruction, 0);
  switch (std::get<RandomParams>(instruction.params).distribution) {
    case Distribution::k_normal: return prepare_words<of_unit<inverse_normal>>(size, key, out);
    case Distribution::k_exponential: return prepare_words<of_unit<exponential>>(size, key, out);
    case Distribution::k_gumbel: return prepare_words<of_unit<gumbel>>(size, key, out);
    default: return prepare_words<uniform>(size, key, out);
  }
}

}  // namespace galvani
