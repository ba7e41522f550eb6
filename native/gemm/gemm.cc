#include "gemm/gemm.h"

#include <algorithm>

#include "base/numbers.h"

namespace galvani {
namespace {

// Work is counted in multiplications; reading a float from L2 takes as long as some of them. Writing C counts for
// nothing: two processors are hardly faster at that, as long as one of them has it in its cache.
constexpr double kReadWork = 4;
// Work below which a second thread, which takes a microsecond to begin and end, costs more than it gives.
constexpr double kParallelWork = 1 << 18;
// Work of a task, where there are enough: some 0.3 ms, so that threads that come late find some left.
constexpr double kTaskWork = 1 << 24;
constexpr int64_t kMostTasksPerThread = 4;
// Elements of B that are not expected to stay in L2.
constexpr double kLargeB = 1 << 17;
// Few rows of A. A transposed B is read by dot products of up to so many, as packing it would cost more than they do,
// but for a short k: of so many steps per row.
constexpr int64_t kFewRows = 8;
constexpr int64_t kDotRows = 16;
constexpr int64_t kPackingDepth = 32;
// Where one pass over B serves all rows of A, there is nothing to keep in a cache. But a tile of narrow vectors reads B
// in runs too short for memory: a large B is read from end to end by so many of its rows.
constexpr int64_t kLongLanes = 16;
constexpr int64_t kStreamedRows = 16;
// A transposed A is packed where it meets so many columns of B, if its columns are far apart: read in place, each step
// of k would then miss the caches at the same few sets.
constexpr int64_t kManyColumns = 96;
// Elements of A that are packed at a time, and of B that a thread keeps for its next rows of A.
constexpr int64_t kPackedElements = 1 << 20;
// Elements of C that a tail is given at a time, to find them in the cache: not so few rows that reading B again for
// each part costs more.
constexpr int64_t kTailElements = 1 << 14;
constexpr int64_t kTailRows = 64;
// For a deeper product, what a tail takes is little beside it, and parts cost more than they save.
constexpr int64_t kTailDepth = 48;
// Elements that are kept beside C at most.
constexpr int64_t kMostTailElements = 1 << 16;

bool is_large(int64_t k, int64_t n) { return static_cast<double>(k) * static_cast<double>(n) > kLargeB; }

struct Range {
  int64_t begin, end;
  int64_t size() const { return end - begin; }
};

// Part `index` of [0, size), cut at multiples of `unit`.
Range part_of(int64_t size, int64_t unit, int64_t parts, int64_t index) {
  const int64_t units = ceil_div(size, unit);
  return {std::min(size, units * index / parts * unit), std::min(size, units * (index + 1) / parts * unit)};
}

// Tiles of C; passes over its only row; dot products of rows of A and columns of B, which may have to be packed for it;
// or, of a C that is narrower than half a vector, vectors of rows.
enum class Method { k_tiles, k_row, k_dot, k_packed_dot, k_narrow };

// What is computed, in the form that suits it best.
template <typename T>
struct Problem {
  GemmShape shape;
  MatrixViewOf<T> a, b;
  T* c;
  GemmEpilogueOf<T> epilogue;
  int64_t bias_stride;
  Method method;
  int64_t kc, nc;
  bool keeps_b;
};

// What a thread packs into, and which part of B that is, where it is kept: -1 for none.
template <typename T>
struct Packing {
  T* elements;
  T* tail_elements = nullptr;
  int thread = 0;
  int64_t kept = -1;
};

// A batch whose matrices A lie one below the other and share one B is a single product.
template <typename T>
void fold_batch(Problem<T>* p) {
  const int64_t m = p->shape.m;
  if (p->shape.batch == 1 || p->b.batch_stride != 0) return;
  if (m == 1 ? p->a.column_stride != 1 : p->a.batch_stride != m * p->a.row_stride) return;
  if (m == 1) p->a.row_stride = p->a.batch_stride;
  p->shape.m *= p->shape.batch;
  p->shape.batch = 1;
}

// A column C = A·b is the row bᵀ·Aᵀ, if that reads A in its order.
template <typename T>
void turn_column(Problem<T>* p, const GemmKernelsOf<T>& kernels) {
  if (kernels.rounds || p->shape.n != 1 || (p->a.row_stride != 1 && p->b.row_stride != 1)) return;
  const MatrixViewOf<T> a = p->a, b = p->b;
  p->a = {b.data, b.batch_stride, 1, b.row_stride};
  p->b = {a.data, a.batch_stride, a.column_stride, a.row_stride};
  p->shape.n = p->shape.m;
  p->shape.m = 1;
  p->bias_stride = 0;
}

// The depth of the blocks of k, as equal as can be.
int64_t block_depth(int64_t k, int64_t kc) { return k <= kc ? k : ceil_div(k, ceil_div(k, kc)); }

// The columns of a block of B.
template <typename T>
int64_t block_width(int64_t depth, const GemmKernelsOf<T>& kernels) {
  if (depth * kernels.nc <= kernels.block_elements) return kernels.nc;
  const int64_t columns = kernels.block_elements / depth / kernels.nr * kernels.nr;
  return std::max(columns, kernels.nr);
}

template <typename T>
Method choose_method(const Problem<T>& p, const GemmKernelsOf<T>& kernels) {
  if (kernels.rounds) return Method::k_tiles;
  const bool rows_of_a = p.a.column_stride == 1, rows_of_b = p.b.column_stride == 1;
  if (p.shape.m == 1 && rows_of_b && kernels.row != nullptr) return Method::k_row;
  const bool is_narrow = p.shape.n <= kernels.narrow_columns && p.shape.m > kFewRows;
  // Per row, a tile takes k/2 cycles and stores one vector. The others take the share of n in its lanes of that:
  // `narrow` stores n floats beside, dot products add up the lanes of n sums, in some 4 cycles each.
  const int64_t n = p.shape.n, k = p.shape.k, lanes = kernels.lanes;
  if (is_narrow && p.a.row_stride == 1 && k * (lanes - n) > 2 * lanes * (n - 2)) return Method::k_narrow;
  const bool is_deep = p.shape.m > kFewRows && n <= lanes / 2 + 1 && n * (k + 8 * lanes) < (k + 4) * lanes;
  const bool has_few_rows = p.shape.m == 1 || (p.shape.m <= kDotRows && (n < lanes || k > kPackingDepth * p.shape.m));
  if (rows_of_a && !rows_of_b && (has_few_rows || is_deep)) return Method::k_dot;
  if (rows_of_a && is_deep) return Method::k_packed_dot;
  return Method::k_tiles;
}

// Copies by members: one of the whole would read together what the caller has just written one by one, and wait for it.
GemmShape copy_of(const GemmShape& s) { return {s.batch, s.m, s.n, s.k}; }
template <typename T>
MatrixViewOf<T> copy_of(const MatrixViewOf<T>& v) {
  return {v.data, v.batch_stride, v.row_stride, v.column_stride};
}
template <typename T>
GemmEpilogueOf<T> copy_of(const GemmEpilogueOf<T>& e) {
  return {e.bias, e.activation, e.slope, e.tail};
}

// All that decides the rounding of C is decided here, from the shape and the layout alone.
template <typename T>
Problem<T> make_problem(const GemmShape& shape, const MatrixViewOf<T>& a, const MatrixViewOf<T>& b, T* c,
                        const GemmEpilogueOf<T>& epilogue, const GemmKernelsOf<T>& kernels) {
  Problem<T> p = {copy_of(shape), copy_of(a), copy_of(b), c, copy_of(epilogue), 1, Method::k_tiles, 0, 0, false};
  fold_batch(&p);
  turn_column(&p, kernels);
  const bool rows_of_b = p.b.column_stride == 1;
  p.method = choose_method(p, kernels);
  if (rows_of_b && p.shape.m <= kernels.mr && !kernels.rounds) {
    const bool is_streamed = kernels.lanes < kLongLanes && is_large(p.shape.k, p.shape.n);
    p.kc = is_streamed ? block_depth(p.shape.k, kStreamedRows) : p.shape.k;
    p.nc = p.shape.n;
  } else {
    p.kc = block_depth(kernels.words(p.shape.k), kernels.kc);
    p.nc = block_width(p.kc, kernels);
  }
  return p;
}

// The rows of A that are packed at a time.
template <typename T>
int64_t packed_rows(int64_t m, int64_t k, const GemmKernelsOf<T>& kernels) {
  return std::min(m, round_up(std::max<int64_t>(kPackedElements / std::max<int64_t>(k, 1), 1), kernels.mr));
}

template <typename T>
bool packs_a(const GemmShape& shape, const MatrixViewOf<T>& a, const GemmKernelsOf<T>& kernels) {
  if (kernels.rounds) return true;
  return shape.m > kernels.mr && shape.n >= kManyColumns && a.column_stride >= kernels.packing_stride;
}

// Whether a thread keeps the B that it has packed: its next task may be of other rows and the same columns.
template <typename T>
bool keeps_b(const GemmShape& shape, const GemmKernelsOf<T>& kernels) {
  return kernels.words(shape.k) * round_up(shape.n, kernels.lanes) <= kPackedElements;
}

template <typename T>
int64_t packed_b_elements(const GemmShape& shape, const GemmKernelsOf<T>& kernels) {
  const int64_t words = kernels.words(shape.k), columns = round_up(shape.n, kernels.lanes);
  if (keeps_b(shape, kernels)) return round_up(words * columns, 16);
  const int64_t depth = block_depth(words, kernels.kc);
  return round_up(depth * std::min(columns, block_width(depth, kernels)), 16);
}

template <typename T>
int64_t workspace_elements(const GemmShape& shape, const MatrixViewOf<T>& a, const GemmKernelsOf<T>& kernels) {
  int64_t elements = packed_b_elements(shape, kernels);
  const GemmShape folded = {1, shape.batch * shape.m, shape.n, shape.k};
  if (packs_a(folded, a, kernels)) {
    const int64_t words = kernels.words(shape.k);
    elements += round_up(kernels.packed_a_elements(packed_rows(folded.m, words, kernels), words), 16);
  }
  return shape.n <= kernels.narrow_columns ? std::max(elements, round_up(shape.k * shape.n, 16)) : elements;
}

// Whether B is packed because it is large, or has to be because it is transposed.
template <typename T>
bool packs_blocks(const Problem<T>& p, const GemmKernelsOf<T>& kernels) {
  return kernels.rounds || p.b.column_stride != 1 ||
         (p.shape.m >= kernels.packing_rows && is_large(p.shape.k, p.shape.n));
}

// How C is cut into tasks. Each computes its part with all of k.
struct Grid {
  int64_t batch_parts, row_parts, column_parts;
  int64_t tasks() const { return batch_parts * row_parts * column_parts; }
};

// The cut of one C into about `parts_of_thread` parts for each thread that costs it least. Beside the multiplications,
// a thread reads its rows of A and its columns of B, and may pack those: in multiplications per element and step of k.
// Where columns are cut, two processors write each row of C, and their prefetching takes lines from each other.
template <typename T>
Grid cut_matrix(const Problem<T>& p, int64_t threads, int64_t parts_of_thread, const GemmKernelsOf<T>& kernels) {
  constexpr double kReadCost = 1, kCutRowCost = 3000;
  const double pack_cost = 6 * static_cast<double>(kernels.steps);
  const bool has_tiles = p.method == Method::k_tiles;
  const double row_cost = has_tiles && packs_a(p.shape, p.a, kernels) ? pack_cost : kReadCost;
  const double column_cost = has_tiles && packs_blocks(p, kernels) ? pack_cost : kReadCost;
  const double cut_row_cost = kCutRowCost / static_cast<double>(std::max<int64_t>(p.shape.k, 1));
  const int64_t parts = threads * parts_of_thread;
  Grid best = {1, 1, 1};
  double best_cost = 0;
  const bool cuts_columns = p.epilogue.tail == nullptr || p.epilogue.tail->takes_columns;
  for (int64_t row_parts = 1; row_parts <= parts; ++row_parts) {
    const int64_t column_parts = cuts_columns ? parts / row_parts : 1;
    const double rows = static_cast<double>(round_up(ceil_div(p.shape.m, row_parts), kernels.mr));
    const double columns = static_cast<double>(round_up(ceil_div(p.shape.n, column_parts), kernels.lanes));
    const double tasks = static_cast<double>(ceil_div(row_parts * column_parts, threads));
    const double kept = keeps_b(p.shape, kernels) ? static_cast<double>(std::min(row_parts, parts_of_thread)) : 1;
    double cost = tasks * (rows * columns + row_cost * rows + column_cost * columns / kept);
    if (column_parts > 1) cost += tasks * cut_row_cost * rows;
    if (row_parts > 1 && cost >= best_cost) continue;
    best = {1, row_parts, column_parts};
    best_cost = cost;
  }
  return best;
}

template <typename T>
double work_of(const GemmShape& s, const GemmKernelsOf<T>& kernels) {
  const double batch = static_cast<double>(s.batch), m = static_cast<double>(s.m), k = static_cast<double>(s.k);
  const double n = static_cast<double>(s.n), lanes = static_cast<double>(std::max(s.n, kernels.lanes));
  return batch * (m * lanes * k + kReadWork * (m * k + k * n));
}

template <typename T>
Grid make_grid(const Problem<T>& p, int64_t threads, const GemmKernelsOf<T>& kernels) {
  const GemmShape& s = p.shape;
  if (threads == 1) return {1, 1, 1};
  const double work = work_of(s, kernels);
  if (work < kParallelWork) return {1, 1, 1};
  if (s.batch % threads == 0 || s.batch >= 4 * threads) return {std::min(s.batch, 4 * threads), 1, 1};
  const double most = static_cast<double>(kMostTasksPerThread);
  const double tasks_per_thread = std::clamp(work / (kTaskWork * static_cast<double>(threads)), 1.0, most);
  Grid grid = cut_matrix(p, threads, static_cast<int64_t>(tasks_per_thread), kernels);
  grid.batch_parts = s.batch;
  return grid;
}

// A part of one matrix C, with all of k.
template <typename T>
GemmBlockOf<T> make_part(const Problem<T>& p, int64_t batch, Range rows, Range columns,
                         const GemmKernelsOf<T>& kernels) {
  GemmBlockOf<T> part = {};
  part.m = rows.size();
  part.n = columns.size();
  part.k = kernels.words(p.shape.k);
  part.a = p.a.data + batch * p.a.batch_stride + rows.begin * p.a.row_stride;
  part.a_row_stride = p.a.row_stride;
  part.a_column_stride = p.a.column_stride;
  part.b = p.b.data + batch * p.b.batch_stride + columns.begin * p.b.column_stride;
  part.b_stride = p.method == Method::k_dot ? p.b.column_stride : p.b.row_stride;
  part.c = p.c + (batch * p.shape.m + rows.begin) * p.shape.n + columns.begin;
  part.c_stride = p.shape.n;
  part.is_last = true;
  part.bias = p.epilogue.bias == nullptr ? nullptr : p.epilogue.bias + columns.begin * p.bias_stride;
  part.bias_stride = p.bias_stride;
  part.activation = p.epilogue.activation;
  part.slope = p.epilogue.slope;
  return part;
}

// Whether a part of B is: also one that is so narrow that its partial vector would be a tile of its own, too narrow to
// keep the units busy.
template <typename T>
bool packs_part(const Problem<T>& p, const GemmBlockOf<T>& part, const GemmKernelsOf<T>& kernels) {
  const bool is_narrow = part.n > kernels.lanes && part.n < kernels.nr;
  return packs_blocks(p, kernels) || (is_narrow && part.n % kernels.lanes != 0 && part.m >= 4 * kernels.mr);
}

// The loops over blocks of B, which all rows of A meet while it is in L2. Blocks that are kept lie one after the other.
template <typename T>
void multiply_blocks(const Problem<T>& p, GemmBlockOf<T>& block, const GemmKernelsOf<T>& kernels, int64_t part_of_b,
                     Packing<T>* packing) {
  const int64_t n = block.n, k = block.k;
  const bool is_packed = packing->kept == part_of_b;
  const T* const a = block.a;
  const T* const b = block.b;
  const T* const bias = block.bias;
  T* const c = block.c;
  for (int64_t j = 0; j < n; j += p.nc) {
    block.n = std::min(p.nc, n - j);
    block.c = c + j;
    if (bias != nullptr) block.bias = bias + j * p.bias_stride;
    int64_t q = 0;
    do {
      block.k = std::min(p.kc, k - q);
      block.a = a + q * block.a_column_stride;
      const int64_t first = q * kernels.steps, steps = std::min(block.k * kernels.steps, p.shape.k - first);
      block.b = b + first * p.b.row_stride + j * p.b.column_stride;
      if (block.b_is_packed) {
        T* const packed = packing->elements + (p.keeps_b ? j * k + q * round_up(block.n, kernels.lanes) : 0);
        if (!is_packed) kernels.pack_b(block.b, p.b.row_stride, p.b.column_stride, steps, block.n, packed);
        block.b = packed;
      }
      block.accumulate = q > 0;
      q += block.k;
      block.is_last = q == k;
      kernels.multiply(block);
    } while (q < k);
  }
  if (block.b_is_packed && p.keeps_b) packing->kept = part_of_b;
}

template <typename T>
void multiply_part(const Problem<T>& p, GemmBlockOf<T>& part, const GemmKernelsOf<T>& kernels, int64_t part_of_b,
                   Packing<T>* packing) {
  part.b_is_packed = packs_part(p, part, kernels);
  if (!packs_a(p.shape, p.a, kernels)) return multiply_blocks(p, part, kernels, part_of_b, packing);
  const int64_t most_rows = packed_rows(part.m, part.k, kernels);
  T* const packed_a = packing->elements + packed_b_elements(p.shape, kernels);
  for (int64_t i = 0; i < part.m; i += most_rows) {
    GemmBlockOf<T> rows = part;
    rows.m = std::min(most_rows, part.m - i);
    const T* const a = part.a + i * part.a_row_stride;
    kernels.pack_a(a, part.a_row_stride, part.a_column_stride, rows.m, p.shape.k, packed_a);
    rows.a = packed_a;
    rows.a_is_packed = part.a_column_stride != 1;
    rows.a_row_stride = rows.a_is_packed ? part.k : GemmKernelsOf<T>::row_words(part.k);
    rows.a_column_stride = rows.a_is_packed ? kernels.mr : 1;
    rows.c = part.c + i * part.c_stride;
    multiply_blocks(p, rows, kernels, part_of_b, packing);
  }
}

// The columns of B one after the other, for dot products.
template <typename T>
void pack_columns(GemmBlockOf<T>* block, T* packed) {
  for (int64_t p = 0; p < block->k; ++p) {
    for (int64_t j = 0; j < block->n; ++j) packed[j * block->k + p] = block->b[p * block->b_stride + j];
  }
  block->b = packed;
  block->b_stride = block->k;
}

// Of a part of C: all, but for a tail, unless B were packed again for each or the product is deep.
template <typename T>
int64_t rows_at_once(const Problem<T>& p, int64_t rows, int64_t columns, const GemmKernelsOf<T>& kernels) {
  const bool is_cut = p.epilogue.tail != nullptr && p.shape.k <= kTailDepth;
  if (!is_cut || (p.method == Method::k_tiles && !p.keeps_b)) return rows;
  return round_up(std::max(kTailElements / columns, kTailRows), kernels.mr);
}

template <typename T>
void run_rows(const Problem<T>& p, int64_t batch, Range rows, Range columns, const GemmKernelsOf<T>& kernels,
              Packing<T>* packing) {
  const GemmTail* const tail = p.epilogue.tail;
  GemmBlockOf<T> part = make_part(p, batch, rows, columns, kernels);
  if (tail != nullptr && !tail->needs_c && rows.size() * columns.size() <= kMostTailElements) {
    part.c = packing->tail_elements;
    part.c_stride = columns.size();
  }
  T* const elements = part.c;
  const int64_t elements_stride = part.c_stride;
  if (p.method == Method::k_packed_dot) pack_columns(&part, packing->elements);
  if (p.method == Method::k_tiles) multiply_part(p, part, kernels, batch * p.shape.n + columns.begin, packing);
  else if (p.method == Method::k_row) kernels.row(part);
  else if (p.method == Method::k_narrow) kernels.narrow(part, p.b.column_stride);
  else kernels.dot(part);
  if (tail == nullptr) return;
  const GemmShape& s = p.shape;
  const int64_t first = (batch * s.m + rows.begin) * s.n + columns.begin;
  tail->run(tail->context, {first, rows.size(), columns.size(), s.n, elements, elements_stride}, packing->thread);
}

template <typename T>
void run_part(const Problem<T>& p, Range batches, Range rows, Range columns, const GemmKernelsOf<T>& kernels,
              Packing<T>* packing) {
  if (rows.size() == 0 || columns.size() == 0) return;
  const int64_t most_rows = rows_at_once(p, rows.size(), columns.size(), kernels);
  for (int64_t batch = batches.begin; batch < batches.end; ++batch) {
    for (int64_t i = rows.begin; i < rows.end; i += most_rows) {
      run_rows(p, batch, {i, std::min(i + most_rows, rows.end)}, columns, kernels, packing);
    }
  }
}

// Tasks that follow each other are of other rows and the same columns.
template <typename T>
void run_task(const Problem<T>& p, const Grid& grid, int64_t task, const GemmKernelsOf<T>& kernels,
              Packing<T>* packing) {
  const int64_t row_part = task % grid.row_parts;
  const int64_t column_part = task / grid.row_parts % grid.column_parts;
  const int64_t batch_part = task / grid.row_parts / grid.column_parts;
  run_part(p, part_of(p.shape.batch, 1, grid.batch_parts, batch_part),
           part_of(p.shape.m, kernels.mr, grid.row_parts, row_part),
           part_of(p.shape.n, kernels.lanes, grid.column_parts, column_part), kernels, packing);
}

}  // namespace

template <typename T>
size_t gemm_workspace_bytes(const GemmShape& shape, const MatrixViewOf<T>& a, const GemmKernelsOf<T>& kernels,
                            int threads, bool has_tail) {
  const int64_t elements = workspace_elements(shape, a, kernels) + (has_tail ? kMostTailElements : 0);
  return sizeof(T) * static_cast<size_t>(elements * threads);
}

template <typename T>
void gemm(const GemmShape& shape, const MatrixViewOf<T>& a, const MatrixViewOf<T>& b, T* c,
          const GemmEpilogueOf<T>& epilogue, const GemmKernelsOf<T>& kernels, Parallel& parallel, void* workspace) {
  if (shape.batch == 0 || shape.m == 0 || shape.n == 0) return;
  Problem<T> p = make_problem(shape, a, b, c, epilogue, kernels);
  const Grid grid = make_grid(p, parallel.threads(), kernels);
  T* const elements = static_cast<T*>(workspace);
  if (grid.tasks() == 1) {
    p.keeps_b = epilogue.tail != nullptr && p.shape.k <= kTailDepth && keeps_b(p.shape, kernels);
    Packing<T> packing{elements, elements + workspace_elements(shape, a, kernels)};
    return run_part(p, {0, p.shape.batch}, {0, p.shape.m}, {0, p.shape.n}, kernels, &packing);
  }
  const int64_t packed_elements = workspace_elements(shape, a, kernels);
  const int64_t elements_of_thread = packed_elements + (epilogue.tail == nullptr ? 0 : kMostTailElements);
  p.keeps_b = keeps_b(p.shape, kernels);
  Packing<T> packings[kMaxThreads];
  for (int thread = 0; thread < parallel.threads(); ++thread)
    packings[thread] = {elements + thread * elements_of_thread,
                        elements + thread * elements_of_thread + packed_elements, thread};
  parallel.for_each(grid.tasks(),
                    [&](int64_t task, int thread) { run_task(p, grid, task, kernels, &packings[thread]); });
}

template size_t gemm_workspace_bytes(const GemmShape&, const MatrixViewOf<float>&, const GemmKernelsOf<float>&, int,
                                     bool);
template size_t gemm_workspace_bytes(const GemmShape&, const MatrixViewOf<double>&, const GemmKernelsOf<double>&, int,
                                     bool);
template void gemm(const GemmShape&, const MatrixViewOf<float>&, const MatrixViewOf<float>&, float*,
                   const GemmEpilogueOf<float>&, const GemmKernelsOf<float>&, Parallel&, void*);
template void gemm(const GemmShape&, const MatrixViewOf<double>&, const MatrixViewOf<double>&, double*,
                   const GemmEpilogueOf<double>&, const GemmKernelsOf<double>&, Parallel&, void*);

}  // namespace galvani
