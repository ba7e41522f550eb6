// Linear algebra: a matrix of the batch is one item of work, done in double in a workspace of its thread.
#include <cmath>
#include <limits>
#include <utility>

#include "base/numbers.h"
#include "executor/families.h"
#include "linalg/exponential.h"
#include "linalg/factorizations.h"
#include "linalg/jacobi.h"

namespace galvani {
namespace {

// Nanoseconds for one multiplication and addition of these loops.
constexpr double kPerScalarFlop = 0.5;

// body(run, index, workspace) for each matrix of a batch; a workspace is `doubles` long.
template <typename Body>
class PreparedMatrix final : public PreparedInstruction {
 public:
  PreparedMatrix(const Split& split, int64_t doubles, Body body)
      : PreparedInstruction(split), split_(split), doubles_(round_up(doubles, 8)), body_(std::move(body)) {}

  bool run(Run& run) const override {
    double* const workspaces = reinterpret_cast<double*>(run.workspace);
    for_ranges(threads_of(run), split_, [&](int64_t begin, int64_t end, int thread) {
      for (int64_t i = begin; i < end; ++i) body_(std::as_const(run), i, workspaces + thread * doubles_);
    });
    return true;
  }

  int64_t workspace_bytes(int threads) const override { return threads * doubles_ * int64_t{sizeof(double)}; }

 private:
  Split split_;
  int64_t doubles_;
  Body body_;
};

struct Matrices {
  int64_t batch, rows, columns;
};

// Where there is no element there is no work, however many matrices there are, and no workspace.
template <typename Body>
std::unique_ptr<PreparedInstruction> prepare_matrices(const Matrices& p, double multiplications, int64_t doubles,
                                                      Body body) {
  const bool is_empty = p.batch == 0 || p.rows == 0 || p.columns == 0;
  const Split split = split_work(is_empty ? 0 : p.batch, 1, multiplications * kPerScalarFlop);
  return std::make_unique<PreparedMatrix<Body>>(split, is_empty ? 0 : doubles, std::move(body));
}

double product(int64_t a, int64_t b, int64_t c) { return static_cast<double>(a) * b * c; }

template <typename T>
void store(const double* from, T* to, int64_t size) {
  for (int64_t i = 0; i < size; ++i) to[i] = static_cast<T>(from[i]);
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_cholesky(const CholeskyParams& p, Location x, Location out) {
  const int64_t n = p.n;
  return prepare_matrices({p.batch, n, n}, product(n, n, n) / 6, n * n, [=](const Run& run, int64_t index, double* l) {
    if (!linalg::factor_cholesky(x.in<const T>(run) + index * n * n, l, n)) std::fill(l, l + n * n, NAN);
    store(l, out.in<T>(run) + index * n * n, n * n);
  });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_triangular_solve(const TriangularSolveParams& p, Location a, Location b,
                                                              Location out) {
  const int64_t n = p.n, columns = p.columns;
  return prepare_matrices({p.batch, n, columns}, product(n, n, columns) / 2, n * columns,
                          [=, is_lower = p.lower, is_transposed = p.transpose, has_unit_diagonal = p.unit_diagonal](
                              const Run& run, int64_t index, double* solution) {
                            const T* const right = b.in<const T>(run) + index * n * columns;
                            std::copy(right, right + n * columns, solution);
                            const T* const matrix = a.in<const T>(run) + index * n * n;
                            linalg::substitute(
                                linalg::Triangle<T>{matrix, n, is_lower, is_transposed, has_unit_diagonal}, solution,
                                columns);
                            store(solution, out.in<T>(run) + index * n * columns, n * columns);
                          });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_solve(const SolveParams& p, Location a, Location b, Location out) {
  const int64_t n = p.n, columns = p.columns;
  const double multiplications = product(n, n, n) / 3 + product(n, n, columns);
  return prepare_matrices({p.batch, n, columns}, multiplications, n * (n + columns),
                          [=](const Run& run, int64_t index, double* lu) {
                            double* const solution = lu + n * n;
                            const T* const matrix = a.in<const T>(run) + index * n * n;
                            const T* const right = b.in<const T>(run) + index * n * columns;
                            std::copy(matrix, matrix + n * n, lu);
                            std::copy(right, right + n * columns, solution);
                            linalg::solve(lu, n, solution, columns);
                            store(solution, out.in<T>(run) + index * n * columns, n * columns);
                          });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_determinant(const DeterminantParams& p, Location x, Location det,
                                                         Location sign, Location log_abs) {
  const int64_t n = p.n;
  // The determinant of no elements is 1: there is work for each matrix, whatever its size.
  const int64_t extent = std::max<int64_t>(n, 1);
  return prepare_matrices({p.batch, extent, extent}, product(n, n, n) / 3, n * n,
                          [=](const Run& run, int64_t index, double* lu) {
                            const T* const matrix = x.in<const T>(run) + index * n * n;
                            std::copy(matrix, matrix + n * n, lu);
                            const linalg::Determinant result = linalg::determinant(lu, n);
                            det.in<T>(run)[index] = static_cast<T>(result.value);
                            sign.in<T>(run)[index] = static_cast<T>(result.sign);
                            log_abs.in<T>(run)[index] = static_cast<T>(result.log_abs);
                          });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_lu(const LuParams& p, Location x, Location exchange, Location l,
                                                Location u) {
  const int64_t rows = p.rows, columns = p.columns, k = std::min(rows, columns);
  // The rows of a matrix without columns stay in their order: there is work wherever there are rows.
  return prepare_matrices({p.batch, rows, std::max<int64_t>(columns, 1)}, product(rows, columns, k) / 2,
                          rows * (columns + rows), [=](const Run& run, int64_t index, double* lu) {
                            double* const order = lu + rows * columns;
                            const T* const matrix = x.in<const T>(run) + index * rows * columns;
                            std::copy(matrix, matrix + rows * columns, lu);
                            std::fill(order, order + rows * rows, 0.0);
                            for (int64_t i = 0; i < rows; ++i) order[i * rows + i] = 1;
                            linalg::factor_lu(lu, rows, columns, order, rows);
                            T* const back = exchange.in<T>(run) + index * rows * rows;
                            T* const lower = l.in<T>(run) + index * rows * k;
                            T* const upper = u.in<T>(run) + index * k * columns;
                            for (int64_t i = 0; i < rows; ++i) {
                              for (int64_t j = 0; j < rows; ++j)
                                back[j * rows + i] = static_cast<T>(order[i * rows + j]);
                              for (int64_t j = 0; j < k; ++j)
                                lower[i * k + j] = j < i ? static_cast<T>(lu[i * columns + j]) : j == i ? T{1} : T{0};
                            }
                            for (int64_t i = 0; i < k; ++i) {
                              for (int64_t j = 0; j < columns; ++j)
                                upper[i * columns + j] = j < i ? T{0} : static_cast<T>(lu[i * columns + j]);
                            }
                          });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_matrix_exp(const MatrixExpParams& p, Location x, Location out) {
  const int64_t n = p.n;
  // An extent that no matrix has may be greater than any memory.
  const int64_t doubles = p.batch == 0 ? 0 : (linalg::kExponentialScratch + 1) * n * n;
  return prepare_matrices({p.batch, n, n}, 20 * product(n, n, n), doubles,
                          [=](const Run& run, int64_t index, double* a) {
                            const T* const matrix = x.in<const T>(run) + index * n * n;
                            std::copy(matrix, matrix + n * n, a);
                            linalg::exponential(a, a + n * n, n);
                            store(a, out.in<T>(run) + index * n * n, n * n);
                          });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_qr(const QrParams& p, Location x, Location q, Location r) {
  const int64_t rows = p.rows, columns = p.columns, k = std::min(rows, columns);
  const int64_t doubles = rows * columns + rows * k + k;
  return prepare_matrices({p.batch, rows, columns}, 4 * product(rows, columns, k), doubles,
                          [=](const Run& run, int64_t index, double* a) {
                            double* const orthogonal = a + rows * columns;
                            const T* const matrix = x.in<const T>(run) + index * rows * columns;
                            std::copy(matrix, matrix + rows * columns, a);
                            linalg::factor_qr(a, orthogonal, orthogonal + rows * k, rows, columns);
                            for (int64_t row = 1; row < k; ++row)
                              std::fill(a + row * columns, a + row * columns + row, 0.0);
                            store(orthogonal, q.in<T>(run) + index * rows * k, rows * k);
                            store(a, r.in<T>(run) + index * k * columns, k * columns);
                          });
}

// The rows of a[count, length], in order, as the columns of out[length, count].
template <typename T>
void store_transposed(const double* a, const int32_t* order, T* out, int64_t count, int64_t length) {
  for (int64_t k = 0; k < count; ++k) {
    for (int64_t i = 0; i < length; ++i) out[i * count + k] = static_cast<T>(a[order[k] * length + i]);
  }
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_eigh(const EighParams& p, Location x, Location values, Location vectors) {
  const int64_t n = p.n;
  const int64_t doubles = 2 * n * n + n;
  return prepare_matrices({p.batch, n, n}, 50 * product(n, n, n), doubles,
                          [=](const Run& run, int64_t index, double* a) {
                            double* const v = a + n * n;
                            int32_t* const order = reinterpret_cast<int32_t*>(v + n * n);
                            const T* const matrix = x.in<const T>(run) + index * n * n;
                            for (int64_t i = 0; i < n; ++i) {
                              for (int64_t j = 0; j <= i; ++j) a[i * n + j] = a[j * n + i] = matrix[i * n + j];
                            }
                            linalg::diagonalize(a, v, order, n);
                            for (int64_t k = 0; k < n; ++k) {
                              values.in<T>(run)[index * n + k] = static_cast<T>(a[order[k] * (n + 1)]);
                            }
                            store_transposed(v, order, vectors.in<T>(run) + index * n * n, n, n);
                          });
}

// Of a tall matrix the columns are made orthogonal, of a wide one the rows.
template <typename T>
std::unique_ptr<PreparedInstruction> prepare_svd(const SvdParams& p, Location x, Location u, Location s, Location vh) {
  const int64_t rows = p.rows, columns = p.columns, count = std::min(rows, columns), length = std::max(rows, columns);
  const int64_t doubles = count * length + count * count + 2 * count;
  return prepare_matrices({p.batch, rows, columns}, 50 * product(count, count, length), doubles,
                          [=](const Run& run, int64_t index, double* w) {
                            const bool is_tall = rows >= columns;
                            double* const v = w + count * length;
                            double* const norms = v + count * count;
                            int32_t* const order = reinterpret_cast<int32_t*>(norms + count);
                            const T* const matrix = x.in<const T>(run) + index * rows * columns;
                            for (int64_t i = 0; i < rows; ++i) {
                              for (int64_t j = 0; j < columns; ++j)
                                w[is_tall ? j * length + i : i * length + j] = matrix[i * columns + j];
                            }
                            linalg::orthogonalize(w, v, norms, order, count, length);
                            const double* const left = is_tall ? w : v;
                            const double* const right = is_tall ? v : w;
                            store_transposed(left, order, u.in<T>(run) + index * rows * count, count, rows);
                            for (int64_t k = 0; k < count; ++k) {
                              s.in<T>(run)[index * count + k] = static_cast<T>(norms[order[k]]);
                              store(right + order[k] * columns, vh.in<T>(run) + (index * count + k) * columns, columns);
                            }
                          });
}

template <typename T>
std::unique_ptr<PreparedInstruction> prepare_linalg_of(const Preparation& preparation, const Instruction& instruction) {
  const Params& params = instruction.params;
  const auto in = [&](size_t i) { return preparation.input(instruction, i); };
  const auto out = [&](size_t i) { return preparation.output(instruction, i); };
  switch (instruction.opcode) {
    case Opcode::k_cholesky: return prepare_cholesky<T>(std::get<CholeskyParams>(params), in(0), out(0));
    case Opcode::k_triangularSolve:
      return prepare_triangular_solve<T>(std::get<TriangularSolveParams>(params), in(0), in(1), out(0));
    case Opcode::k_solve: return prepare_solve<T>(std::get<SolveParams>(params), in(0), in(1), out(0));
    case Opcode::k_determinant:
      return prepare_determinant<T>(std::get<DeterminantParams>(params), in(0), out(0), out(1), out(2));
    case Opcode::k_lu: return prepare_lu<T>(std::get<LuParams>(params), in(0), out(0), out(1), out(2));
    case Opcode::k_matrixExp: return prepare_matrix_exp<T>(std::get<MatrixExpParams>(params), in(0), out(0));
    case Opcode::k_qr: return prepare_qr<T>(std::get<QrParams>(params), in(0), out(0), out(1));
    case Opcode::k_eigh: return prepare_eigh<T>(std::get<EighParams>(params), in(0), out(0), out(1));
    default: return prepare_svd<T>(std::get<SvdParams>(params), in(0), out(0), out(1), out(2));
  }
}

}  // namespace

std::unique_ptr<PreparedInstruction> prepare_linalg(const Preparation& preparation, const Instruction& instruction) {
  return preparation.input_dtype(instruction, 0) == DType::k_float64
             ? prepare_linalg_of<double>(preparation, instruction)
             : prepare_linalg_of<float>(preparation, instruction);
}

}  // namespace galvani
