// Reading a strided view into a dense result. Elements are bit patterns of 1 or 4 bytes.
#pragma once

// The same elements in the same order with as few axes as possible, at least one.
inline StridedView collapse(const StridedView& view) {
  StridedView result = {0, {}, {}, view.offset};
  for (int axis = 0; axis < view.rank; ++axis) {
    const int64_t size = view.shape[axis], stride = view.strides[axis];
    if (size == 1) continue;
    const int last = result.rank - 1;
    if (last >= 0 && result.strides[last] == stride * size) {
      result.shape[last] *= size;
      result.strides[last] = stride;
    } else {
      result.shape[result.rank] = size;
      result.strides[result.rank++] = stride;
    }
  }
  if (result.rank == 0) {
    result.shape[0] = result.strides[0] = 1;
    result.rank = 1;
  }
  return result;
}

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

// kLanes vectors. Zipping the upper half of the rows into the lower half, log2(kLanes) times, transposes.
struct SquareTile {
  I32 v[kLanes];
};
template <int rounds>
inline SquareTile zip_rows(const SquareTile& s) {
  if constexpr (rounds == 0) {
    return s;
  } else {
    SquareTile zipped;
    for (int i = 0; i < kLanes / 2; ++i) {
      zipped.v[2 * i] = zip_low(s.v[i], s.v[i + kLanes / 2]);
      zipped.v[2 * i + 1] = zip_high(s.v[i], s.v[i + kLanes / 2]);
    }
    return zip_rows<rounds - 1>(zipped);
  }
}

// out[row, column] = x[row + column·stride] for one tile of at most kLanes × kLanes.
template <class T>
inline void copy_tile(const T* x, int64_t stride, T* out, int64_t out_stride, int64_t rows, int64_t columns) {
  for (int64_t row = 0; row < rows; ++row) copy_row(x + row, stride, out + row * out_stride, columns);
}
inline void copy_tile(const int32_t* x, int64_t stride, int32_t* out, int64_t out_stride, int64_t rows,
                      int64_t columns) {
  if (rows != kLanes || columns != kLanes) return copy_tile<int32_t>(x, stride, out, out_stride, rows, columns);
  constexpr int kRounds = __builtin_ctz(kLanes);
  SquareTile tile;
  for (int i = 0; i < kLanes; ++i) tile.v[i] = load(x + i * stride);
  tile = zip_rows<kRounds>(tile);
  for (int i = 0; i < kLanes; ++i) store(out + i * out_stride, tile.v[i]);
}

// A view whose last but one axis has stride 1 and whose last axis has another: transposed matrices.
template <class T>
void copy_transposed(const StridedView& view, const T* x, T* out, int64_t begin, int64_t end) {
  const int inner = view.rank - 1;
  const int64_t columns = view.shape[inner], stride = view.strides[inner], rows = view.shape[inner - 1];
  const int64_t first_whole = (begin + columns - 1) / columns, end_whole = end / columns;
  if (first_whole >= end_whole) return copy_rows(view, x, out, begin, end);
  copy_rows(view, x, out, begin, first_whole * columns);
  for (int64_t row = first_whole; row < end_whole;) {
    const int64_t left = rows - row % rows;  // in this matrix
    int64_t count = end_whole - row < kLanes ? end_whole - row : kLanes;
    count = left < count ? left : count;
    const T* from = x + Walk(view, inner, row).offset;
    for (int64_t column = 0; column < columns; column += kLanes) {
      const int64_t width = columns - column < kLanes ? columns - column : kLanes;
      copy_tile(from + column * stride, stride, out + row * columns + column, columns, count, width);
    }
    row += count;
  }
  copy_rows(view, x, out, end_whole * columns, end);
}

template <class T>
void copy_elements(const StridedView& view, const void* x, void* out, int64_t begin, int64_t end) {
  const T* from = static_cast<const T*>(x);
  T* to = static_cast<T*>(out);
  const bool transposed =
      view.rank >= 2 && view.strides[view.rank - 2] == 1 && view.strides[view.rank - 1] > 1;
  if (transposed) {
    copy_transposed(view, from, to, begin, end);
  } else {
    copy_rows(view, from, to, begin, end);
  }
}

inline void copy_kernel(const StridedView& view, int element_bytes, const void* x, void* out, int64_t begin,
                        int64_t end) {
  if (begin >= end) return;
  const StridedView collapsed = collapse(view);
  if (element_bytes == 1) {
    copy_elements<uint8_t>(collapsed, x, out, begin, end);
  } else {
    copy_elements<int32_t>(collapsed, x, out, begin, end);
  }
}
