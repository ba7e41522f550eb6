// All kernels of one instruction set and the table of them.
#pragma once

#include "kernels/accumulate.h"
#include "kernels/argmax.h"
#include "kernels/attention.h"
#include "kernels/chain.h"
#include "kernels/convolution.h"
#include "kernels/direct_convolution.h"
#include "kernels/gemm_kernels.h"
#include "kernels/gemm_rounded.h"
#include "kernels/micro_kernels.h"
#include "kernels/moments.h"
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
  table.chain = chain_kernel;
  table.copy = copy_kernel;
  table.transpose = transpose_kernel;
  table.reduce_float32[static_cast<int>(Reduction::k_sum)] = reduce_kernel<Sum, float>;
  table.reduce_float64[static_cast<int>(Reduction::k_sum)] = reduce_kernel<Sum, double>;
  table.reduce_float32[static_cast<int>(Reduction::k_max)] = reduce_kernel<Max, float>;
  table.reduce_float64[static_cast<int>(Reduction::k_max)] = reduce_kernel<Max, double>;
  table.reduce_float32[static_cast<int>(Reduction::k_min)] = reduce_kernel<Min, float>;
  table.reduce_float64[static_cast<int>(Reduction::k_min)] = reduce_kernel<Min, double>;
  table.reduce_int32[static_cast<int>(Reduction::k_sum)] = reduce_kernel<Sum, int32_t>;
  table.reduce_int32[static_cast<int>(Reduction::k_max)] = reduce_kernel<Max, int32_t>;
  table.reduce_int32[static_cast<int>(Reduction::k_min)] = reduce_kernel<Min, int32_t>;
  table.reduce_float32[static_cast<int>(Reduction::k_prod)] = product_kernel<float>;
  table.reduce_float64[static_cast<int>(Reduction::k_prod)] = product_kernel<double>;
  table.reduce_int32[static_cast<int>(Reduction::k_prod)] = product_kernel<int32_t>;
  table.scan_float32[static_cast<int>(Reduction::k_sum)] = scan_kernel<RunningSum, float>;
  table.scan_float64[static_cast<int>(Reduction::k_sum)] = scan_kernel<RunningSum, double>;
  table.scan_float32[static_cast<int>(Reduction::k_max)] = scan_kernel<RunningMax, float>;
  table.scan_float64[static_cast<int>(Reduction::k_max)] = scan_kernel<RunningMax, double>;
  table.scan_float32[static_cast<int>(Reduction::k_min)] = scan_kernel<RunningMin, float>;
  table.scan_float64[static_cast<int>(Reduction::k_min)] = scan_kernel<RunningMin, double>;
  table.scan_float32[static_cast<int>(Reduction::k_prod)] = scan_kernel<RunningProduct, float>;
  table.scan_float64[static_cast<int>(Reduction::k_prod)] = scan_kernel<RunningProduct, double>;
  table.scan_int32[static_cast<int>(Reduction::k_sum)] = scan_kernel<RunningSum, int32_t>;
  table.scan_int32[static_cast<int>(Reduction::k_max)] = scan_kernel<RunningMax, int32_t>;
  table.scan_int32[static_cast<int>(Reduction::k_min)] = scan_kernel<RunningMin, int32_t>;
  table.scan_int32[static_cast<int>(Reduction::k_prod)] = scan_kernel<RunningProduct, int32_t>;
  table.recurrence_float32 = recurrence_kernel<float>;
  table.recurrence_float64 = recurrence_kernel<double>;
  table.argmax_float32 = argmax_kernel<float>;
  table.argmax_float64 = argmax_kernel<double>;
  table.argmax_int32 = argmax_kernel<int32_t>;
  table.rows_float32 = row_kernels<float>();
  table.rows_float64 = row_kernels<double>();
  table.row_moments = row_moments_kernel;
  table.row_deviations = row_deviations_kernel;
  table.column_moments = column_moments_kernel;
  table.column_deviations = column_deviations_kernel;
  table.attend = attend_kernel;
  table.attention_slopes = attention_slopes_kernel;
  table.end_attention = end_attention_kernel;
  table.accumulate_float32 = accumulate_kernel<float>;
  table.accumulate_float64 = accumulate_kernel<double>;
  table.accumulate_int32 = accumulate_kernel<int32_t>;
  table.update_float32 = {sgd_kernel<float>, momentum_kernel<float>, adam_kernel<float>};
  table.update_float64 = {sgd_kernel<double>, momentum_kernel<double>, adam_kernel<double>};
  table.random[static_cast<int>(Distribution::k_uniform)] = random_kernel<Uniform>;
  table.unfold = unfold_kernel;
  table.fold = fold_kernel;
  table.fold_clipped = fold_clipped;
  table.crop = crop_kernel;
  table.convolve_directly = convolve_directly_kernel;
  table.direct_weight_gradient = direct_weight_gradient_kernel;
  table.spread_weights = spread_weights_kernel;
  table.gather_outputs = gather_outputs_kernel;
  table.spread_pixels = spread_pixels_kernel;
  table.spread_cotangents = spread_cotangents_kernel;
  table.gather_kernels = gather_kernels_kernel;
  table.pool_pairs = pool_pairs_kernel;
  table.max_pool = max_pool_kernel;
  table.max_pool_gradient = max_pool_gradient_kernel;
  table.random[static_cast<int>(Distribution::k_normal)] = random_kernel<OfUnit<inverse_normal>>;
  table.random[static_cast<int>(Distribution::k_exponential)] = random_kernel<OfUnit<exponential>>;
  table.random[static_cast<int>(Distribution::k_gumbel)] = random_kernel<OfUnit<gumbel>>;
  table.gemm = gemm_kernels<float>();
  table.gemm_float64 = gemm_kernels<double>();
  table.quantized = kQuantizedKernels;
  table.gemm_bf16 = rounded_gemm_kernels();
  return table;
}
