// Cheap micro-ops of float32 as one loop: some vectors stay in registers while all steps run on them, so that nothing
// between two micro-ops goes through memory. Which step comes next is the same for all of them, and so foreseen.
#pragma once

#include "kernels/vector_loop.h"
#include "math/piecewise.h"
#include "simd/vectors.h"

template <int K>
struct ChainRegister {
  F32 v[K];
  F32 operator()(int k) const { return v[k]; }
};

// The accumulator, and what is set aside: K vectors of each.
template <int K>
struct ChainRegisters {
  ChainRegister<K> a, first, second;

  template <class Operand, class Op>
  GALVANI_INLINED void combine(const Operand& operand, const Op& op) {
    GALVANI_UNROLL
    for (int k = 0; k < K; ++k) a.v[k] = op(a.v[k], operand(k));
  }
};

template <int K, class Lanes>
GALVANI_INLINED inline void run_chain(const ChainRows& chain, float* const* operands, int64_t i, Lanes lanes) {
  ChainRegisters<K> r;
  GALVANI_UNROLL
  for (int k = 0; k < K; ++k) r.a.v[k] = r.first.v[k] = r.second.v[k] = zero();
  for (const ChainStep *step = chain.steps, *const end = step + chain.step_count; step < end; ++step) {
    float* const x = operands[step->operand];
    const auto array = [=](int k) { return lanes.read(x + i + k * kLanes); };
    switch (step->code) {
#define GALVANI_CHAIN_CASES(name, result)                                                                    \
  case ChainCode::k_##name: r.combine(array, [](F32 a, F32 b) { return (void)a, result; }); break;           \
  case ChainCode::k_##name##_scalar:                                                                         \
    r.combine([s = broadcast(*x)](int) { return s; }, [](F32 a, F32 b) { return (void)a, result; });         \
    break;                                                                                                   \
  case ChainCode::k_##name##_first: r.combine(r.first, [](F32 a, F32 b) { return (void)a, result; }); break; \
  case ChainCode::k_##name##_second: r.combine(r.second, [](F32 a, F32 b) { return (void)a, result; }); break;
      GALVANI_CHAIN_BINARY(GALVANI_CHAIN_CASES)
#undef GALVANI_CHAIN_CASES
      case ChainCode::k_save_first: r.first = r.a; break;
      case ChainCode::k_save_second: r.second = r.a; break;
      case ChainCode::k_store: {
        GALVANI_UNROLL
        for (int k = 0; k < K; ++k) lanes.write(x + i + k * kLanes, r.a.v[k]);
        break;
      }
      case ChainCode::k_neg: r.combine(r.a, [](F32 a, F32) { return negate(a); }); break;
      case ChainCode::k_square: r.combine(r.a, [](F32 a, F32) { return a * a; }); break;
      case ChainCode::k_relu: r.combine(r.a, [](F32 a, F32) { return relu(a); }); break;
      case ChainCode::k_keep_where_greater: {
        const F32 threshold = broadcast(*operands[step->threshold]), other = broadcast(*operands[step->other]);
        r.combine(array, [=](F32 a, F32 b) { return select(threshold < b, a, other); });
        break;
      }
    }
  }
}

inline void chain_kernel(const ChainRows& chain) {
  constexpr int kVectors = 4;
  float* operands[kMostChainOperands];
  for (int64_t k = 0; k < chain.operand_count; ++k) operands[k] = chain.operands[k];
  for (int64_t row = 0; row < chain.rows; ++row) {
    int64_t i = 0;
    for (; i + kVectors * kLanes <= chain.length; i += kVectors * kLanes)
      run_chain<kVectors>(chain, operands, i, Whole());
    for (; i < chain.length; i += kLanes) {
      const int64_t left = chain.length - i;
      run_chain<1>(chain, operands, i, Part{static_cast<int>(left < kLanes ? left : kLanes)});
    }
    for (int64_t k = 0; k < chain.operand_count; ++k) operands[k] += chain.row_strides[k];
  }
}
