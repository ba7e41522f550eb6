// All kernels of one instruction set and the table of them.
#pragma once

#include "kernels/accumulate.h"
#include "kernels/argmax.h"
#include "kernels/attention.h"
#include "kernels/convolution.h"
#include "kernels/gemm_kernels.h"
#include "kernels/micro_kernels.h"
#include "kernels/movement.h"
#include "kernels/optimizer.h"
#include "kernels/pooling.h"
#include "kernels/quantized.h"
#include "kernels/random.h"
#include "kernels/reduce.h"
#include "kernels/scan.h"
#include "kernels/softmax.h"
#include "kernels/winograd.h"
#include "math/distributions.h"

constexpr KernelTable make_table(const char* isa) {
  KernelTable table = {};
  table.isa = isa;
  set_micro_kernels(table);
  table.copy = copy_kernel;
  table.transpose = transpose_kernel;
  table.reduce_float32[static_cast<int>(Reduction::k_sum)] = reduce_kernel<Sum, float>;
  table.reduce_float32[static_cast<int>(Reduction::k_max)] = reduce_kernel<Max, float>;
  table.reduce_float32[static_cast<int>(Reduction::k_min)] = reduce_kernel<Min, float>;
  table.reduce_int32[static_cast<int>(Reduction::k_sum)] = reduce_kernel<Sum, int32_t>;
  table.reduce_int32[static_cast<int>(Reduction::k_max)] = reduce_kernel<Max, int32_t>;
  table.reduce_int32[static_cast<int>(Reduction::k_min)] = reduce_kernel<Min, int32_t>;
  table.reduce_float32[static_cast<int>(Reduction::k_prod)] = product_kernel<float>;
  table.reduce_int32[static_cast<int>(Reduction::k_prod)] = product_kernel<int32_t>;
  table.scan_float32[static_cast<int>(Reduction::k_sum)] = scan_kernel<RunningSum, float>;
  table.scan_float32[static_cast<int>(Reduction::k_max)] = scan_kernel<RunningMax, float>;
  table.scan_float32[static_cast<int>(Reduction::k_min)] = scan_kernel<RunningMin, float>;
  table.scan_float32[static_cast<int>(Reduction::k_prod)] = scan_kernel<RunningProduct, float>;
  table.scan_int32[static_cast<int>(Reduction::k_sum)] = scan_kernel<RunningSum, int32_t>;
  table.scan_int32[static_cast<int>(Reduction::k_max)] = scan_kernel<RunningMax, int32_t>;
  table.scan_int32[static_cast<int>(Reduction::k_min)] = scan_kernel<RunningMin, int32_t>;
  table.scan_int32[static_cast<int>(Reduction::k_prod)] = scan_kernel<RunningProduct, int32_t>;
  table.recurrence = recurrence_kernel;
  table.argmax_float32 = argmax_kernel<float>;
  table.argmax_int32 = argmax_kernel<int32_t>;
  table.softmax = softmax_kernel;
  table.log_softmax = log_softmax_kernel;
  table.cross_entropy_classes = cross_entropy_classes_kernel;
  table.cross_entropy_probabilities = cross_entropy_probabilities_kernel;
  table.attend = attend_kernel;
  table.attention_slopes = attention_slopes_kernel;
  table.end_attention = end_attention_kernel;
  table.accumulate_float32 = accumulate_kernel<float>;
  table.accumulate_int32 = accumulate_kernel<int32_t>;
  table.sgd = sgd_kernel;
  table.momentum = momentum_kernel;
  table.adam = adam_kernel;
  table.random[static_cast<int>(Distribution::k_uniform)] = random_kernel<Uniform>;
  table.unfold = unfold_kernel;
  table.fold = fold_kernel;
  table.fold_clipped = fold_clipped;
  table.crop = crop_kernel;
  table.spread_weights = spread_weights_kernel;
  table.spread_inputs = spread_inputs_kernel;
  table.gather_outputs = gather_outputs_kernel;
  table.pool_pairs = pool_pairs_kernel;
  table.max_pool = max_pool_kernel;
  table.max_pool_gradient = max_pool_gradient_kernel;
  table.random[static_cast<int>(Distribution::k_normal)] = random_kernel<OfUnit<inverse_normal>>;
  table.random[static_cast<int>(Distribution::k_exponential)] = random_kernel<OfUnit<exponential>>;
  table.random[static_cast<int>(Distribution::k_gumbel)] = random_kernel<OfUnit<gumbel>>;
  table.gemm = kGemmKernels;
  table.quantized = kQuantizedKernels;
  return table;
}
