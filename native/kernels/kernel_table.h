// The kernels of one instruction set, as pointers. Everything above this header is free of intrinsics, everything
// below it is written once over the vector type of simd/<isa>.h and compiled per instruction set.
//
// Kernels check nothing: the program was validated. They run on [begin, end) of their outputs, so that a caller can
// split the work; the result of an output never depends on where the split was. Pointers are aligned to their element.
#pragma once

#include <cstdint>

#include "base/log_gamma.h"
#include "base/numbers.h"
#include "program/vocabulary.h"

namespace galvani {

// out[i] = op(a[i], b[i], c[i]) for i in [0, n), dense. out may be one of the operands. b and c are null where the
// micro-op has fewer operands. For `where`, a is the condition (bytes 0 or 1).
using MicroKernel = void (*)(const void* a, const void* b, const void* c, void* out, int64_t n);

template <typename T>
struct AdamScalars {
  T learning_rate;                     // lr
  T beta1, beta2;                      // rounded from double
  T one_minus_beta1, one_minus_beta2;  // computed in double, then rounded
  T step_size;                         // lr / (1 - beta1^t)
  T inverse_sqrt_bias2;                // 1 / sqrt(1 - beta2^t)
  T epsilon;
  T decay;  // 1 - lr * weightDecay
};

// Rows [begin, end).
template <typename T>
struct RowKernels {
  void (*softmax)(const T* x, T* out, int64_t columns, int64_t begin, int64_t end);
  void (*log_softmax)(const T* x, T* out, int64_t columns, int64_t begin, int64_t end);
  // gradient may be null. Labels are in range.
  void (*cross_entropy_classes)(const T* logits, const int32_t* labels, T* losses, T* gradient, int64_t columns,
                                int64_t begin, int64_t end);
  void (*cross_entropy_probabilities)(const T* logits, const T* labels, T* losses, T* gradient, int64_t columns,
                                      int64_t begin, int64_t end);
};

// Elements [begin, end). Outputs may be the buffers of the old values.
template <typename T>
struct OptimizerKernels {
  void (*sgd)(const T* p, const T* g, T learning_rate, T* p_out, int64_t begin, int64_t end);
  void (*momentum)(const T* p, const T* g, const T* v, T learning_rate, T momentum, bool nesterov, T* p_out, T* v_out,
                   int64_t begin, int64_t end);
  void (*adam)(const AdamScalars<T>& scalars, const T* p, const T* g, const T* m, const T* v, T* p_out, T* m_out,
               T* v_out, int64_t begin, int64_t end);
};

// A rectangle of outputs.
struct OutputBlock {
  int64_t row, column, rows, columns;
};

// A block of a matrix product: c = or, if `accumulate`, += a[m × k] · b[k × n].
template <typename T>
struct GemmBlockOf {
  int64_t m, n, k;
  const T* a;  // element (i, p) at a[i·a_row_stride + p·a_column_stride]; one of the strides is 1
  int64_t a_row_stride, a_column_stride;
  bool a_is_packed;  // by pack_a: a_row_stride is its k, a_column_stride is mr
  const T* b;        // element (p, j) at b[p·b_stride + j], or as pack_b left it
  int64_t b_stride;
  bool b_is_packed;
  T* c;  // element (i, j) at c[i·c_stride + j]
  int64_t c_stride;
  bool accumulate;
  // With the last block of k: bias[j·bias_stride] is added where bias is not null, then the activation is applied.
  bool is_last;
  const T* bias;
  int64_t bias_stride;
  const T* row_bias;  // null, or what is added to each row
  Activation activation;
  T slope;
};

using GemmBlock = GemmBlockOf<float>;

template <typename T>
struct GemmKernelsOf {
  int64_t mr, nr;          // the tile of C that stays in registers while k runs
  int64_t kc, mc, nc;      // mc rows of A meet a block of B at a time, kc×nc at most
  int64_t block_elements;  // of such a block of B
  int64_t lanes;           // of a vector
  int64_t packing_rows;    // from that many rows of A on, a B that is not in L2 is worth packing
  int64_t packing_stride;  // from such a distance of its columns on, so is a transposed A
  int64_t narrow_columns;  // the most columns of C for `narrow`
  // Of a single row of C, with all of k; null where the tiles do that as well.
  void (*row)(const GemmBlockOf<T>& block);
  void (*multiply)(const GemmBlockOf<T>& block);
  // c[i][j] = the dot product of row i of a (a_column_stride is 1) and row j of b, here [n × k] with b_stride between
  // its rows. All of k at once.
  void (*dot)(const GemmBlockOf<T>& block);
  // c = a · b with n <= narrow_columns, for an a whose a_row_stride is 1; b's element (p, j) at
  // b[p·b_stride + j·b_column_stride]. All of k at once.
  void (*narrow)(const GemmBlockOf<T>& block, int64_t b_column_stride);
  // b[k × n], element (p, j) at b[p·row_stride + j·column_stride], one of the strides being 1 → panels of nr columns,
  // one after the other: k rows of the panel's columns, padded to whole vectors.
  void (*pack_b)(const T* b, int64_t row_stride, int64_t column_stride, int64_t k, int64_t n, T* packed);
  // a[m × k], element (i, p) at a[i·row_stride + p·column_stride] with a row_stride of 1 → panels of mr rows, one after
  // the other: k columns of the panel's rows. Where operands are rounded row_stride may be another one, and then rows
  // of row_words(words(k)) are made. packed_a_elements(m, words(k)) in all.
  void (*pack_a)(const T* a, int64_t row_stride, int64_t column_stride, int64_t m, int64_t k, T* packed);
  // Whether operands are rounded to bf16 where they are packed. Then both always are, and `multiply` does all products.
  bool rounds;
  int64_t steps;  // of k that a packed word holds: k is counted in words wherever operands are packed

  int64_t words(int64_t k) const { return ceil_div(k, steps); }
  // Whole vectors, and rows that do not all begin in the same set of a cache.
  static constexpr int64_t row_words(int64_t words) { return (words + 15) / 16 * 16 + 16; }
  int64_t packed_a_elements(int64_t m, int64_t words) const {
    return round_up(m, mr) * (rounds ? row_words(words) : words);
  }
};
using GemmKernels = GemmKernelsOf<float>;

// Panels of the weight of a quantizedMatmul times rows of integers: `rows` rows of `out`, from the first output of the
// first panel on, `columns` in all.
struct QuantizedBlock {
  int64_t rows, columns, steps;
  const int8_t* x;  // x_stride bytes between rows, kPanelInputs for each step
  int64_t x_stride;
  const float* row_scales;    // [rows]
  const int32_t* row_starts;  // [rows], what the sums begin with
  const uint8_t* weight;
  const float* scales;  // [columns]
  const float* bias;    // [columns], or null
  float* out;
  int64_t out_stride;
  bool has_relu;
};

struct QuantizedKernels {
  // x[k] as integers, with zeros up to a multiple of kPanelInputs, their scale, and what sums of products begin with.
  void (*quantize)(const float* x, int64_t k, int8_t* integers, float* scale, int32_t* start);
  void (*multiply)(const QuantizedBlock& block);
  int64_t rows;  // of x that meet a panel together
};

// What is done to sums before they are written.
struct OutputFinish {
  const float* bias;  // of each lane
  Activation activation;
  float slope;
  bool is_pooled;
};

// What is done to the sums of a convolution.
struct ConvolutionEpilogue {
  const float* bias = nullptr;  // of each filter
  Activation activation = Activation::k_none;
  float slope = 0;
};

// What a step of a chain does to the accumulator (see kernels/chain.h), those of GALVANI_CHAIN_BINARY with what they
// find in an array, in one element, or in either of two registers.
#define GALVANI_CHAIN_BINARY(F) F(load, b) F(add, a + b) F(sub, a - b) F(sub_from, b - a) F(mul, a* b)
#define GALVANI_CHAIN_CODES(name, result) k_##name, k_##name##_scalar, k_##name##_first, k_##name##_second,
enum class ChainCode : int32_t {
  GALVANI_CHAIN_BINARY(GALVANI_CHAIN_CODES) k_save_first,
  k_save_second,
  k_store,
  k_neg,
  k_square,
  k_relu,
  k_keep_where_greater,  // than a threshold are an array's elements; it is another element elsewhere
};
#undef GALVANI_CHAIN_CODES

struct ChainStep {
  ChainCode code;
  int32_t operand = 0, threshold = 0, other = 0;
};

// The steps that run on `rows` rows of `length` elements, and where the operands of the first row are, row_strides
// elements before those of the next.
struct ChainRows {
  const ChainStep* steps;
  int64_t step_count;
  float* const* operands;
  const int64_t* row_strides;
  int64_t operand_count;
  int64_t rows, length;
};

constexpr int64_t kMostChainOperands = 24;

struct KernelTable {
  const char* isa;

  // By operand dtype; null where the pair does not exist; `cast` is null here.
  MicroKernel micro[kMicroOpCount][kDTypeCount];
  // Of binary micro-ops, where one operand is one element for all of the other: the first, or the second.
  MicroKernel micro_scalar[2][kMicroOpCount][kDTypeCount];
  MicroKernel cast[kDTypeCount][kDTypeCount];  // [from][to]

  // Operands are kMostChainOperands at most.
  void (*chain)(const ChainRows& rows);

  // Elements [begin, end) of the dense result of reading a view; element_bytes is 1, 4 or 8.
  void (*copy)(const StridedView& view, int element_bytes, const void* x, void* out, int64_t begin, int64_t end);

  // out[row·out_stride + column] = x[row + column·stride] for rows × columns elements of 1, 4 or 8 bytes.
  void (*transpose)(int element_bytes, const void* x, int64_t stride, void* out, int64_t out_stride, int64_t rows,
                    int64_t columns);

  // Outputs [begin, end) of x[outer, reduced, inner] → out[outer, inner]. Pairwise or blocked with a fixed shape.
  void (*reduce_float32[kReductionCount])(const float* x, float* out, int64_t reduced, int64_t inner, int64_t begin,
                                          int64_t end);
  void (*reduce_float64[kReductionCount])(const double* x, double* out, int64_t reduced, int64_t inner, int64_t begin,
                                          int64_t end);
  void (*reduce_int32[kReductionCount])(const int32_t* x, int32_t* out, int64_t reduced, int64_t inner, int64_t begin,
                                        int64_t end);
  void (*argmax_float32)(const float* x, int32_t* out, int64_t reduced, int64_t inner, int64_t begin, int64_t end);
  void (*argmax_float64)(const double* x, int32_t* out, int64_t reduced, int64_t inner, int64_t begin, int64_t end);
  void (*argmax_int32)(const int32_t* x, int32_t* out, int64_t reduced, int64_t inner, int64_t begin, int64_t end);

  // Of each of `rows` rows of n elements the mean and the sum of the squares of what is left without it, or, with its
  // row's mean, Σy and Σ(x − mean)·y; and the same for each column of [rows, columns].
  void (*row_moments)(const float* x, int64_t rows, int64_t n, float* means, float* squares);
  void (*row_deviations)(const float* x, const float* means, const float* y, int64_t rows, int64_t n, float* sums,
                         float* products);
  void (*column_moments)(const float* x, int64_t rows, int64_t columns, float* means, float* squares);
  void (*column_deviations)(const float* x, const float* means, const float* y, int64_t rows, int64_t columns,
                            float* sums, float* products);

  // Lines [begin, end) along the middle axis of [outer, length, inner], of outer · inner.
  void (*scan_float32[kReductionCount])(const float* x, float* out, int64_t length, int64_t inner, bool reverse,
                                        int64_t begin, int64_t end);
  void (*scan_float64[kReductionCount])(const double* x, double* out, int64_t length, int64_t inner, bool reverse,
                                        int64_t begin, int64_t end);
  void (*scan_int32[kReductionCount])(const int32_t* x, int32_t* out, int64_t length, int64_t inner, bool reverse,
                                      int64_t begin, int64_t end);
  void (*recurrence_float32)(const float* a, const float* b, float* out, int64_t length, int64_t inner, bool reverse,
                             int64_t begin, int64_t end);
  void (*recurrence_float64)(const double* a, const double* b, double* out, int64_t length, int64_t inner, bool reverse,
                             int64_t begin, int64_t end);

  RowKernels<float> rows_float32;
  RowKernels<double> rows_float64;

  // Blocks of an attention's scores, some rows of them, and what their rows have come to so far: the greatest score and
  // the sum of the powers, and the powers times the values. The scores, times `scale`, become powers; all that was is
  // scaled down to the new greatest. A first block finds nothing in `out`.
  void (*attend)(float* scores, int64_t stride, int64_t rows, int64_t columns, float scale, float* greatest,
                 float* sums, float* out, int64_t width, bool is_first);
  // After the last block: out / sums, and log_sums = greatest + log(sums).
  void (*end_attention)(const float* greatest, const float* sums, int64_t rows, float* out, int64_t width,
                        float* log_sums);
  // Of a block of an attention's scores q·kᵀ and the products cotangent·vᵀ: the scores become weights, and the products
  // what they pass back to the scores, by their rows' logSums and sums of cotangent ∘ out.
  void (*attention_slopes)(float* scores, float* products, int64_t stride, int64_t rows, int64_t columns, float scale,
                           const float* log_sums, const float* inner);

  // out[j] += x[j] for j in [0, n): scatterAdd's row.
  void (*accumulate_float32)(const float* x, float* out, int64_t n);
  void (*accumulate_float64)(const double* x, double* out, int64_t n);
  void (*accumulate_int32)(const int32_t* x, int32_t* out, int64_t n);

  OptimizerKernels<float> update_float32;
  OptimizerKernels<double> update_float64;

  // Elements [begin, end), begin a multiple of 4. key[2]; the same bits on every instruction set.
  // Null for those that have parameters: they are the executor's.
  void (*random[kDistributionCount])(const int32_t* key, float* out, int64_t begin, int64_t end);

  // columns[element·stride + output] = what the element of the kernel meets for the output, over a block of outputs.
  // `padded` has room for what the block reaches over, or is null; it and `stride` have room for a vector more.
  void (*unfold)(const Windows& windows, const OutputBlock& block, const float* plane, float* padded, float* columns,
                 int64_t stride);
  // The adjoint: adds the columns of a block to the padded plane, whose rows are as long as all windows reach, with
  // room for a vector more.
  void (*fold)(const Windows& windows, const OutputBlock& block, const float* columns, int64_t stride, float* padded);
  // The same, added to the plane itself.
  void (*fold_clipped)(const Windows& windows, const OutputBlock& block, const float* columns, int64_t stride,
                       float* plane);
  // The plane without its padding; zeros where no window reaches.
  void (*crop)(const Windows& windows, const float* padded, float* plane);

  // Of windows that step by one, without unfolding: rows [first, first + rows) of the outputs y of all filters; and, of
  // 3×3, Σ dy·x of a plane, added to sums[tap·filters + filter]. `padded` has room for what the rows reach over of all
  // channels, or of one, and for two vectors.
  void (*convolve_directly)(const Windows& windows, const float* x, int64_t channels, int64_t first, int64_t rows,
                            const float* weight, int64_t filters, const ConvolutionEpilogue& epilogue, float* padded,
                            float* y);
  void (*direct_weight_gradient)(const Windows& windows, const float* plane, const float* dy, int64_t filters,
                                 float* padded, float* sums);

  // The transforms of kernels/winograd.h, between 36 matrices that are `stride` floats apart and: a row of tiles of
  // inputs, or of cotangents, whose pixels are `pitch` floats apart, whole vectors, as are the tiles; n kernels, whole
  // vectors, element by element; a row of tiles of outputs, or of their pooling by 2×2, with whether all were finite
  // before the bias; and n gradients of kernels, element by element, with whether all are finite.
  void (*spread_pixels)(const float* pixels, int64_t pitch, int64_t row_pitch, int64_t tiles, float* out,
                        int64_t stride);
  void (*spread_cotangents)(const float* pixels, int64_t pitch, int64_t row_pitch, int64_t tiles, float* out,
                            int64_t stride);
  void (*spread_weights)(const float* w, int64_t element_stride, int64_t n, float* out, int64_t stride);
  bool (*gather_outputs)(const float* m, int64_t stride, int64_t pitch, int64_t tiles, const OutputFinish& finish,
                         float* pixels);
  bool (*gather_kernels)(const float* m, int64_t stride, int64_t n, float* out, int64_t out_stride);

  // The greatest of windows of 2×2 side by side, of even numbers of rows and columns that lie one after the other: rows
  // of columns / 2 that are out_stride apart. x has room for two vectors more.
  void (*pool_pairs)(const float* x, int64_t rows, int64_t columns, float* out, int64_t out_stride);
  // Planes [begin, end) of `planes`.
  void (*max_pool)(const Windows& windows, const float* x, const float* z, float* out, int64_t planes, int64_t begin,
                   int64_t end);
  void (*max_pool_gradient)(const Windows& windows, bool is_rectified, const float* x, const float* dy, float* dx,
                            int64_t planes, int64_t begin, int64_t end);

  GemmKernels gemm;
  QuantizedKernels quantized;
  GemmKernelsOf<double> gemm_float64;
  GemmKernels gemm_bf16;
};

extern const KernelTable kBaselineKernels;
#if defined(__x86_64__)
extern const KernelTable kAvx2Kernels;
extern const KernelTable kAvx512Kernels;
// With VNNI, which not all machines have that have the rest; without a multiplication where the compiler knows none.
extern const QuantizedKernels kAvx2VnniKernels;
extern const QuantizedKernels kAvx512VnniKernels;
extern const GemmKernels kAvx512Bf16Gemm;  // with AVX512-BF16
#elif defined(__aarch64__)
extern const KernelTable kNeonKernels;
#endif

}  // namespace galvani
