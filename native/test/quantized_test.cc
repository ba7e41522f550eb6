// Products of int8 against scalar code: every table, and the kernels without VNNI of tables that have it here.
#include <algorithm>

#include "test/kernel_testing.h"

namespace galvani::test {
namespace {

struct Named {
  std::string name;
  const QuantizedKernels* kernels;
};

std::vector<Named> all_kernels() {
  std::vector<Named> found;
  for_each_table([&](const KernelTable& table) {
    found.push_back({table.isa, &table.quantized});
#if defined(__x86_64__) && !defined(GALVANI_ONLY_BASELINE)
    if (std::string(table.isa) == "avx2") found.push_back({"avx2 without VNNI", &kAvx2Kernels.quantized});
    if (std::string(table.isa) == "avx512") found.push_back({"avx512 without VNNI", &kAvx512Kernels.quantized});
#endif
  });
  return found;
}

struct Rows {
  std::vector<int8_t> integers;
  std::vector<float> scales;
  std::vector<int32_t> starts;
};

// As lib/program/schema.ts says it.
float expected_scale(const float* x, int64_t k, std::vector<int>* integers) {
  float greatest = 0;
  bool is_finite = true;
  for (int64_t i = 0; i < k; ++i) {
    is_finite = is_finite && std::isfinite(x[i]);
    greatest = std::max(greatest, std::fabs(x[i]));
  }
  integers->assign(k, 0);
  if (!is_finite) return NAN;
  if (greatest < 0x1p-119f) return 0;
  for (int64_t i = 0; i < k; ++i) (*integers)[i] = static_cast<int>(std::nearbyintf(x[i] * (127.0f / greatest)));
  return greatest / 127.0f;
}

int32_t weight_at(const std::vector<uint8_t>& weight, int64_t steps, int64_t q, int64_t j) {
  const int64_t panel = j / kPanelOutputs, step = q / kPanelInputs;
  return weight[((panel * steps + step) * kPanelOutputs + j % kPanelOutputs) * kPanelInputs + q % kPanelInputs] - 128;
}

void check_product(const Named& named, int64_t m, int64_t n, int64_t k, bool has_bias, bool has_relu) {
  const int64_t steps = ceil_div(k, kPanelInputs), panels = ceil_div(n, kPanelOutputs), stride = steps * kPanelInputs;
  Random random(static_cast<uint64_t>(m * 10000 + n * 100 + k));
  std::vector<float> x(m * k), scales(n), bias(n);
  for (float& value : x) value = random.uniform(-4, 4);
  if (m > 2 && k > 0) x[k] = NAN;
  if (m > 3 && k > 0) std::fill(&x[2 * k], &x[3 * k], 1e-40f);
  for (float& value : scales) value = random.uniform(0, 1);
  for (float& value : bias) value = random.uniform(-9, 9);
  std::vector<uint8_t> weight(panels * steps * kPanelOutputs * kPanelInputs);
  for (uint8_t& value : weight) value = static_cast<uint8_t>(random.next());
  Rows rows{std::vector<int8_t>(m * stride), std::vector<float>(m), std::vector<int32_t>(m)};
  for (int64_t i = 0; i < m; ++i) {
    named.kernels->quantize(x.data() + i * k, k, rows.integers.data() + i * stride, &rows.scales[i], &rows.starts[i]);
  }
  Buffer<float> out(m * n, 1);
  QuantizedBlock block{m,
                       n,
                       steps,
                       rows.integers.data(),
                       stride,
                       rows.scales.data(),
                       rows.starts.data(),
                       weight.data(),
                       scales.data(),
                       has_bias ? bias.data() : nullptr,
                       out.data(),
                       n,
                       has_relu};
  named.kernels->multiply(block);
  std::vector<int> integers;
  for (int64_t i = 0; i < m; ++i) {
    const float row_scale = expected_scale(x.data() + i * k, k, &integers);
    for (int64_t j = 0; j < n; ++j) {
      int32_t sum = 0;
      for (int64_t q = 0; q < k; ++q) sum += integers[q] * weight_at(weight, steps, q, j);
      const float scale = row_scale * scales[j];
      float wanted = static_cast<float>(sum) * scale;
      if (has_bias) wanted = wanted + bias[j];
      if (has_relu) wanted = wanted <= 0 ? 0 : wanted;
      EXPECT_SAME(out[i * n + j], wanted,
                  named.name + ": " + std::to_string(m) + "x" + std::to_string(n) + "x" + std::to_string(k) + " at " +
                      std::to_string(i) + ", " + std::to_string(j));
    }
  }
  EXPECT(out.guards_are_whole());
}

}  // namespace

TEST(quantized_products) {
  for (const Named& named : all_kernels()) {
    for (const int64_t m : {1, 2, 3, 4, 5, 6, 7, 13}) {
      for (const int64_t n : {1, 4, 15, 16, 17, 33, 64, 70, 130, 150}) {
        for (const int64_t k : {0, 1, 3, 4, 5, 18, 67}) check_product(named, m, n, k, n % 2 == 0, k % 2 == 0);
      }
    }
  }
}

TEST(quantized_sums_of_the_greatest_depth_are_exact) {
  const int64_t k = kMaxQuantizedDepth, steps = k / kPanelInputs;
  const std::vector<float> x(k, 1.0f), scales(kPanelOutputs, 1.0f);
  const std::vector<uint8_t> weight(k * kPanelOutputs, 0);
  for (const Named& named : all_kernels()) {
    std::vector<int8_t> integers(k);
    float scale = 0;
    int32_t start = 0;
    named.kernels->quantize(x.data(), k, integers.data(), &scale, &start);
    std::vector<float> out(kPanelOutputs);
    named.kernels->multiply({1, kPanelOutputs, steps, integers.data(), k, &scale, &start, weight.data(), scales.data(),
                             nullptr, out.data(), kPanelOutputs, false});
    for (const float y : out) EXPECT_SAME(y, -128.0f * 127 * static_cast<float>(k) * (1 / 127.0f), named.name);
  }
}

}  // namespace galvani::test
