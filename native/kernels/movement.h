// Reading a strided view into a dense result. Elements are bit patterns of 1, 4 or 8 bytes.
#pragma once

#include "kernels/vector_loop.h"
#include "simd/vectors.h"

// Walks over the indices of the first `rank` axes of a view, the last of them fastest.
struct Walk {
  const StridedView& view;
  int rank;
  int64_t index[kMaxRank];
  int64_t offset;

  Walk(const StridedView& view, int rank, int64_t position) : view(view), rank(rank), offset(view.offset) {
    for (int axis = rank - 1; axis >= 0; --axis) {
      index[axis] = position % view.shape[axis];
      position /= view.shape[axis];
      offset += index[axis] * view.strides[axis];
    }
  }

  void next() {
    for (int axis = rank - 1; axis >= 0; --axis) {
      offset += view.strides[axis];
      if (++index[axis] < view.shape[axis]) return;
      offset -= view.strides[axis] * view.shape[axis];
      index[axis] = 0;
    }
  }
};

template <class T>
inline void copy_row(const T* x, int64_t stride, T* out, int64_t n) {
  if (stride == 1) {
    __builtin_memcpy(out, x, static_cast<size_t>(n) * sizeof(T));
  } else if (stride == 0) {
    const T value = n > 0 ? *x : T();
    for (int64_t i = 0; i < n; ++i) out[i] = value;
  } else {
    for (int64_t i = 0; i < n; ++i) out[i] = x[i * stride];
  }
}

template <class T>
void copy_rows(const StridedView& view, const T* x, T* out, int64_t begin, int64_t end) {
  const int inner = view.rank - 1;
  const int64_t size = view.shape[inner], stride = view.strides[inner];
  Walk walk(view, inner, begin / size);
  for (int64_t first = begin % size; begin < end; first = 0, walk.next()) {
    const int64_t count = size - first < end - begin ? size - first : end - begin;
    copy_row(x + walk.offset + first * stride, stride, out + begin, count);
    begin += count;
  }
}

// n vectors. Zipping the second half of them into the first, log2(n) times, gives the first lane of each, then the
// second lane of each, and so on: of kLanes vectors, the transposed matrix.
template <int n>
struct Vectors {
  I32 v[n];
};
template <int n, int rounds = __builtin_ctz(n)>
inline Vectors<n> interleave(const Vectors<n>& tile) {
  if constexpr (rounds == 0) {
    return tile;
  } else {
    Vectors<n> zipped;
    for (int i = 0; i < n / 2; ++i) {
      zipped.v[2 * i] = zip_low(tile.v[i], tile.v[i + n / 2]);
      zipped.v[2 * i + 1] = zip_high(tile.v[i], tile.v[i + n / 2]);
    }
    return interleave<n, rounds - 1>(zipped);
  }
}

// out[row, column] = x[row + column·stride] for one tile of at most kHeight rows; `rows` and `columns` load and store
// the lanes that exist.
template <int kHeight, class T, class Rows, class Columns>
inline void transpose_tile(const T* x, int64_t stride, T* out, int64_t out_stride, Rows rows, Columns columns,
                           int height, int width) {
  Vectors<kLanes> tile;
  for (int i = 0; i < kLanes; ++i) tile.v[i] = i < width ? rows.read(x + i * stride) : broadcast(0);
  tile = interleave(tile);
  for (int i = 0; i < kHeight; ++i) {
    if (i < height) columns.write(out + i * out_stride, tile.v[i]);
  }
}

// The same for at most four columns, as of the channels of an image.
template <class T, class Rows>
inline void transpose_narrow_tile(const T* x, int64_t stride, T* out, int64_t out_stride, Rows rows, int height,
                                  int width) {
  Vectors<4> tile;
  for (int i = 0; i < 4; ++i) tile.v[i] = i < width ? rows.read(x + i * stride) : broadcast(0);
  tile = interleave(tile);
  for (int i = 0; i < height; i += kLanes / 4) {
    I32 v = tile.v[4 * i / kLanes];
    for (int row = i; row < i + kLanes / 4 && row < height; ++row) {
      store_partial(out + row * out_stride, v, width);
      v = rotate<4 % kLanes>(v);
    }
  }
}

// Channels, next to each other or in planes, come by masked vectors, whose streams the processor does not see coming:
// asking for the lines of the tiles after the next halves the time where they come from memory.
inline void prefetch_tiles(const void* p, int64_t bytes) {
  const uintptr_t ahead = reinterpret_cast<uintptr_t>(p) + 2048;
  for (int64_t i = 0; i < bytes; i += 64) __builtin_prefetch(reinterpret_cast<const void*>(ahead + i));
}

template <class T>
inline void transpose_part(const T* x, int64_t stride, T* out, int64_t out_stride, int height, int width) {
  const Part rows{height}, columns{width};
  if (height == kLanes && width == kLanes) {
    transpose_tile<kLanes>(x, stride, out, out_stride, Whole(), Whole(), kLanes, kLanes);
  } else if (height == kLanes && width <= 4) {
    prefetch_tiles(out, width * static_cast<int64_t>(sizeof(T)) * kLanes);
    transpose_narrow_tile(x, stride, out, out_stride, Whole(), kLanes, width);
  } else if (height <= 4 && width == kLanes) {
    prefetch_tiles(x, height * static_cast<int64_t>(sizeof(T)) * kLanes);
    transpose_tile<4>(x, stride, out, out_stride, rows, Whole(), height, kLanes);
  } else {
    transpose_tile<kLanes>(x, stride, out, out_stride, rows, columns, height, width);
  }
}

// Blocks are as high as a cache line is long, or more, and are walked so that neighbouring lines of x are read one
// after the other.
constexpr int64_t kTurnRows = 64, kTurnColumns = 4 * kLanes;

template <class T>
inline void transpose_block(const T* x, int64_t stride, T* out, int64_t out_stride, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; row += kLanes) {
    const int height = static_cast<int>(rows - row < kLanes ? rows - row : kLanes);
    for (int64_t column = 0; column < columns; column += kLanes) {
      const int width = static_cast<int>(columns - column < kLanes ? columns - column : kLanes);
      transpose_part(x + row + column * stride, stride, out + row * out_stride + column, out_stride, height, width);
    }
  }
}

// Whole blocks of bytes: four columns in one vector of words, which makes the lines of the result whole. The columns
// are set side by side first, as they may all compete for one set of the cache.
inline void transpose_bytes(const uint8_t* x, int64_t stride, uint8_t* out, int64_t out_stride) {
  uint8_t near[kTurnColumns][kTurnRows];
  for (int i = 0; i < kTurnColumns; ++i) __builtin_memcpy(near[i], x + i * stride, kTurnRows);
  for (int row = 0; row < kTurnRows; row += kLanes) {
    Vectors<kLanes> tile;
    for (int i = 0; i < kLanes; ++i) {
      const uint8_t* four = near[4 * i] + row;
      const I32 low = load(four) | shift_left<8>(load(four + kTurnRows));
      const I32 high = load(four + 2 * kTurnRows) | shift_left<8>(load(four + 3 * kTurnRows));
      tile.v[i] = low | shift_left<16>(high);
    }
    tile = interleave(tile);
    for (int i = 0; i < kLanes; ++i) {
      int32_t words[kLanes];
      store(words, tile.v[i]);
      __builtin_memcpy(out + (row + i) * out_stride, words, sizeof words);
    }
  }
}

// Elements of 8 bytes, one by one, in blocks whose lines of x and of the result stay in L1.
inline void transpose(const int64_t* x, int64_t stride, int64_t* out, int64_t out_stride, int64_t rows,
                      int64_t columns) {
  constexpr int64_t kSide = 8;
  for (int64_t column = 0; column < columns; column += kSide) {
    const int64_t width = columns - column < kSide ? columns - column : kSide;
    for (int64_t row = 0; row < rows; ++row) {
      for (int64_t j = column; j < column + width; ++j) out[row * out_stride + j] = x[row + j * stride];
    }
  }
}

// out[row·out_stride + column] = x[row + column·stride].
template <class T>
void transpose(const T* x, int64_t stride, T* out, int64_t out_stride, int64_t rows, int64_t columns) {
  constexpr int64_t kGroup = 256 / sizeof(T);
  for (int64_t first = 0; first < columns; first += kGroup) {
    const int64_t last = columns - first < kGroup ? columns : first + kGroup;
    for (int64_t row = 0; row < rows; row += kTurnRows) {
      const int64_t height = rows - row < kTurnRows ? rows - row : kTurnRows;
      for (int64_t column = first; column < last; column += kTurnColumns) {
        const int64_t width = last - column < kTurnColumns ? last - column : kTurnColumns;
        const T* from = x + row + column * stride;
        T* to = out + row * out_stride + column;
        if constexpr (sizeof(T) == 1) {
          if (height == kTurnRows && width == kTurnColumns) {
            transpose_bytes(from, stride, to, out_stride);
            continue;
          }
        }
        transpose_block(from, stride, to, out_stride, height, width);
      }
    }
  }
}

inline void transpose_kernel(int element_bytes, const void* x, int64_t stride, void* out, int64_t out_stride,
                             int64_t rows, int64_t columns) {
  if (element_bytes == 1) {
    transpose(static_cast<const uint8_t*>(x), stride, static_cast<uint8_t*>(out), out_stride, rows, columns);
  } else if (element_bytes == 8) {
    transpose(static_cast<const int64_t*>(x), stride, static_cast<int64_t*>(out), out_stride, rows, columns);
  } else {
    transpose(static_cast<const int32_t*>(x), stride, static_cast<int32_t*>(out), out_stride, rows, columns);
  }
}

// A view whose last but one axis has stride 1 and whose last axis has another: transposed matrices.
template <class T>
void copy_transposed(const StridedView& view, const T* x, T* out, int64_t begin, int64_t end) {
  const int inner = view.rank - 1;
  const int64_t columns = view.shape[inner], stride = view.strides[inner], rows = view.shape[inner - 1];
  const int64_t first_whole = ceil_div(begin, columns), end_whole = end / columns;
  if (first_whole >= end_whole) return copy_rows(view, x, out, begin, end);
  copy_rows(view, x, out, begin, first_whole * columns);
  for (int64_t row = first_whole; row < end_whole;) {
    const int64_t left = rows - row % rows;  // in this matrix
    const int64_t count = left < end_whole - row ? left : end_whole - row;
    transpose(x + Walk(view, inner, row).offset, stride, out + row * columns, columns, count, columns);
    row += count;
  }
  copy_rows(view, x, out, end_whole * columns, end);
}

template <class T>
void copy_elements(const StridedView& view, const void* x, void* out, int64_t begin, int64_t end) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  const bool transposed = view.rank >= 2 && view.strides[view.rank - 2] == 1 && view.strides[view.rank - 1] > 1;
  if (transposed) {
    copy_transposed(view, from, to, begin, end);
  } else {
    copy_rows(view, from, to, begin, end);
  }
}

inline void copy_kernel(const StridedView& view, int element_bytes, const void* x, void* out, int64_t begin,
                        int64_t end) {
  if (begin >= end) return;
  StridedView collapsed = collapse(view);
  if (collapsed.rank == 0) {
    collapsed.shape[0] = collapsed.strides[0] = 1;
    collapsed.rank = 1;
  }
  if (element_bytes == 1) {
    copy_elements<uint8_t>(collapsed, x, out, begin, end);
  } else if (element_bytes == 8) {
    copy_elements<int64_t>(collapsed, x, out, begin, end);
  } else {
    copy_elements<int32_t>(collapsed, x, out, begin, end);
  }
}
