// Attention against its definition in double, on every instruction set and split.
#include <cmath>

#include "test/executor_testing.h"

namespace galvani::test {
namespace {

constexpr DType kFloat = DType::k_float32, kBool = DType::k_bool;

struct Extents {
  int32_t batch, queries, keys, features, values;
};

enum class Masking { k_none, k_bool, k_float };

// The operands are dense, but for a mask that all of the batch share.
Words params_of(const Extents& e, bool is_causal, Masking masking) {
  const int32_t operands = masking == Masking::k_none ? 3 : 4;
  const Words extents = {1, e.batch, e.queries, e.keys, e.features, e.values, operands};
  const Words patterns = {0, 3, e.queries * e.features, e.features, 1,   // q
                          0, 3, e.keys * e.features,    e.features, 1,   // k
                          0, 3, e.keys * e.values,      e.values,   1};  // v
  const Words mask = operands == 4 ? Words{0, 3, 0, e.keys, 1} : Words{};
  return extents + patterns + mask + real(0.3) + Words{is_causal};
}

ProgramBuilder attention(const Extents& e, bool is_causal, Masking masking) {
  ProgramBuilder builder;
  Words inputs = {builder.input(kFloat, {e.batch, e.queries, e.features}),
                  builder.input(kFloat, {e.batch, e.keys, e.features}),
                  builder.input(kFloat, {e.batch, e.keys, e.values})};
  if (masking != Masking::k_none) {
    inputs.push_back(builder.input(masking == Masking::k_bool ? kBool : kFloat, {e.queries, e.keys}));
  }
  const int32_t out = builder.result(kFloat, {e.batch, e.queries, e.values});
  const int32_t log_sums = builder.result(kFloat, {e.batch, e.queries});
  builder.instruction(Opcode::k_attention, inputs, {out, log_sums}, params_of(e, is_causal, masking));
  return builder;
}

struct Expected {
  Floats out, log_sums;
};

Expected expected(const Extents& e, bool is_causal, const Floats& q, const Floats& k, const Floats& v,
                  const std::vector<double>& added) {
  Expected result;
  std::vector<double> powers(e.keys);
  for (int32_t row = 0; row < e.batch * e.queries; ++row) {
    const int32_t query = row % e.queries, first = row / e.queries * e.keys;
    double sum = 0;
    for (int32_t j = 0; j < e.keys; ++j) {
      double score = 0;
      for (int32_t c = 0; c < e.features; ++c)
        score += double{q[row * e.features + c]} * k[(first + j) * e.features + c];
      powers[j] = is_causal && j > query ? 0 : std::exp(0.3 * score + added[query * e.keys + j]);
      sum += powers[j];
    }
    result.log_sums.push_back(static_cast<float>(std::log(sum)));
    for (int32_t c = 0; c < e.values; ++c) {
      double total = 0;
      for (int32_t j = 0; j < e.keys; ++j) total += powers[j] * v[(first + j) * e.values + c];
      result.out.push_back(sum == 0 ? 0.0f : static_cast<float>(total / sum));
    }
  }
  return result;
}

void check(const Extents& e, bool is_causal, Masking masking) {
  const Floats q = random_floats(int64_t{e.batch} * e.queries * e.features, 1);
  const Floats k = random_floats(int64_t{e.batch} * e.keys * e.features, 2);
  const Floats v = random_floats(int64_t{e.batch} * e.keys * e.values, 3);
  const Floats scores = random_floats(int64_t{e.queries} * e.keys, 4);
  std::vector<double> added(scores.size(), 0);
  std::vector<uint8_t> seen;
  for (size_t i = 0; i < scores.size(); ++i) {
    // The first query sees nothing.
    seen.push_back(scores[i] > 0 && i >= static_cast<size_t>(e.keys));
    if (masking == Masking::k_bool) added[i] = seen[i] ? 0 : -INFINITY;
    if (masking == Masking::k_float) added[i] = scores[i];
  }
  std::vector<Bytes> contents = {bytes_of(q), bytes_of(k), bytes_of(v)};
  if (masking == Masking::k_bool) contents.push_back(seen);
  if (masking == Masking::k_float) contents.push_back(bytes_of(scores));
  const Expected wanted = expected(e, is_causal, q, k, v, added);
  run_everywhere(attention(e, is_causal, masking), contents, [&](const Outcome& o) {
    expect_floats(o.buffers[contents.size()], wanted.out, 2e-5);
    const Floats log_sums = values_of<float>(o.buffers[contents.size() + 1]);
    for (size_t i = 0; i < log_sums.size(); ++i) {
      if (std::isinf(wanted.log_sums[i])) {
        EXPECT_EQ(log_sums[i], wanted.log_sums[i]);
      } else {
        EXPECT_NEAR(log_sums[i], wanted.log_sums[i], 2e-5);
      }
    }
  });
}

TEST(attention_of_any_size) {
  const Extents sizes[] = {{1, 1, 1, 1, 1},    {2, 3, 5, 4, 2},   {3, 64, 128, 32, 32}, {2, 65, 129, 33, 17},
                           {1, 3, 0, 4, 2},    {2, 3, 4, 0, 2},   {2, 3, 4, 2, 0},      {2, 0, 4, 2, 3},
                           {1, 70, 300, 8, 9}, {1, 2, 3, 700, 1}, {4, 200, 260, 16, 24}};
  for (const Extents& e : sizes) {
    for (const bool is_causal : {false, true}) {
      for (const Masking masking : {Masking::k_none, Masking::k_bool, Masking::k_float}) check(e, is_causal, masking);
    }
  }
}

std::string refusal(const Extents& e, const Words& params) {
  ProgramBuilder builder = attention(e, false, Masking::k_bool);
  Words words = builder.words();
  const size_t size = params_of(e, false, Masking::k_bool).size();
  words.resize(words.size() - size - 1);
  Program program;
  std::string error;
  words = words + list(params);
  decode_program(words.data(), static_cast<int64_t>(words.size()), 0, &program, &error);
  return error;
}

TEST(attention_is_checked) {
  const Extents e = {2, 3, 4, 5, 2};
  const Words valid = params_of(e, false, Masking::k_bool);
  EXPECT_EQ(refusal(e, valid), std::string());
  const auto changed = [&](size_t at, int32_t word) {
    Words params = valid;
    params[at] = word;
    return refusal(e, params);
  };
  const std::vector<std::pair<std::string, std::string>> refusals = {
      {changed(0, 9), "a rank"},
      {changed(1, 3), "outside"},
      {changed(1, INT32_MAX), "outside"},
      {changed(2, 4), "outside"},
      {changed(3, INT32_MAX), "outside"},
      {changed(5, 3), "outside"},
      {changed(6, 3), "end of the parameter words"},
      {changed(7, 1), "outside"},
      {changed(7, -1), "an offset"},
      {changed(11, 2), "outside"},
      {changed(10, -5), "outside"},
      {changed(26, 2), "outside"},
      {changed(29, 2), "a flag"},
  };
  for (const auto& [error, part] : refusals) EXPECT(error.find(part) != std::string::npos);
  Words backwards = valid;
  backwards[7] = 10;
  backwards[10] = -5;
  EXPECT(refusal(e, backwards).find("no negative strides") != std::string::npos);
  Words short_pattern = valid;
  short_pattern[8] = 2;
  short_pattern.erase(short_pattern.begin() + 9);
  EXPECT(refusal(e, short_pattern).find("a stride for each axis") != std::string::npos);
  const Words many_axes = Words{7, 1, 1, 1, 1, 1, 1} + Words(valid.begin() + 1, valid.end());
  EXPECT(refusal(e, many_axes).find("at most 8 axes") != std::string::npos);
}

}  // namespace
}  // namespace galvani::test
