// What runs along the middle axis of x[outer, length, inner], one element after the other, in double: so the results
// are the reference's, to the bit. Neighbouring lines are independent, and so stand in the lanes of vectors.
#pragma once

// What a line carries: doubles, or 64 bits of which an int32 is kept.
inline double carry_of(const float*, double x) { return x; }
inline double carry_of(const double*, double x) { return x; }
inline int64_t carry_of(const int32_t*, int64_t x) { return static_cast<int32_t>(static_cast<uint32_t>(x)); }

struct RunningSum {
  static double identity(const float*) { return 0; }
  static double identity(const double*) { return 0; }
  static int64_t identity(const int32_t*) { return 0; }
  template <class C>
  static C next(C running, C x) {
    return running + x;
  }
};
struct RunningProduct {
  static double identity(const float*) { return 1; }
  static double identity(const double*) { return 1; }
  static int64_t identity(const int32_t*) { return 1; }
  template <class C>
  static C next(C running, C x) {
    return running * x;
  }
};
struct RunningMax {
  static double identity(const float*) { return -__builtin_inf(); }
  static double identity(const double*) { return -__builtin_inf(); }
  static int64_t identity(const int32_t*) { return INT32_MIN; }
  template <class C>
  static C next(C running, C x) {
    return x > running || x != x ? x : running;
  }
};
struct RunningMin {
  static double identity(const float*) { return __builtin_inf(); }
  static double identity(const double*) { return __builtin_inf(); }
  static int64_t identity(const int32_t*) { return INT32_MAX; }
  template <class C>
  static C next(C running, C x) {
    return x < running || x != x ? x : running;
  }
};

// `width` lines whose elements are `stride` apart; the elements of a line are `step` apart.
template <class R, int width, class T>
inline void scan_lines(const T* x, T* out, int64_t length, int64_t step, int64_t stride) {
  decltype(R::identity(x)) running[width];
  for (int j = 0; j < width; ++j) running[j] = R::identity(x);
  for (int64_t i = 0; i < length; ++i) {
    for (int j = 0; j < width; ++j) {
      using C = decltype(R::identity(x));
      running[j] = carry_of(x, R::next(running[j], static_cast<C>(x[i * step + j * stride])));
      out[i * step + j * stride] = static_cast<T>(running[j]);
    }
  }
}

template <class R, int width, class T>
inline void product_of_lines(const T* x, T* out, int64_t length, int64_t step, int64_t stride) {
  decltype(R::identity(x)) running[width];
  for (int j = 0; j < width; ++j) running[j] = R::identity(x);
  for (int64_t i = 0; i < length; ++i) {
    for (int j = 0; j < width; ++j) {
      using C = decltype(R::identity(x));
      running[j] = carry_of(x, R::next(running[j], static_cast<C>(x[i * step + j * stride])));
    }
  }
  for (int j = 0; j < width; ++j) out[j] = static_cast<T>(running[j]);
}

template <int width, class T>
inline void recurrence_of_lines(const T* a, const T* b, T* out, int64_t length, int64_t step, int64_t stride) {
  double running[width];
  for (int j = 0; j < width; ++j) running[j] = 0;
  for (int64_t i = 0; i < length; ++i) {
    for (int j = 0; j < width; ++j) {
      const int64_t at = i * step + j * stride;
      running[j] = static_cast<double>(a[at]) * running[j] + static_cast<double>(b[at]);
      out[at] = static_cast<T>(running[j]);
    }
  }
}

constexpr int kRowsAtOnce = 4, kColumnsAtOnce = 16;

// Calls lines.run<width>(first element, step, stride, first line) for the lines [begin, end), several at a time.
template <class Lines>
inline void for_each_line(const Lines& lines, int64_t length, int64_t inner, bool reverse, int64_t begin, int64_t end) {
  const int64_t step = reverse ? -inner : inner;
  const int64_t first = reverse && length > 0 ? (length - 1) * inner : 0;
  if (inner == 1) {
    int64_t i = begin;
    for (; i + kRowsAtOnce <= end; i += kRowsAtOnce)
      lines.template run<kRowsAtOnce>(i * length + first, step, length, i);
    for (; i < end; ++i) lines.template run<1>(i * length + first, step, length, i);
    return;
  }
  while (begin < end) {
    const int64_t outer = begin / inner;
    const int64_t last = (outer + 1) * inner < end ? (outer + 1) * inner : end;
    const int64_t start = outer * (length - 1) * inner + first;  // of line `begin`, less its number
    for (; begin + kColumnsAtOnce <= last; begin += kColumnsAtOnce) {
      lines.template run<kColumnsAtOnce>(start + begin, step, 1, begin);
    }
    for (; begin < last; ++begin) lines.template run<1>(start + begin, step, 1, begin);
  }
}

template <class R, class T>
struct ScanLines {
  const T* x;
  T* out;
  int64_t length;
  template <int width>
  void run(int64_t at, int64_t step, int64_t stride, int64_t) const {
    scan_lines<R, width>(x + at, out + at, length, step, stride);
  }
};

template <class T>
struct ProductOfLines {
  const T* x;
  T* out;
  int64_t length;
  template <int width>
  void run(int64_t at, int64_t step, int64_t stride, int64_t line) const {
    product_of_lines<RunningProduct, width>(x + at, out + line, length, step, stride);
  }
};

template <class T>
struct RecurrenceOfLines {
  const T *a, *b;
  T* out;
  int64_t length;
  template <int width>
  void run(int64_t at, int64_t step, int64_t stride, int64_t) const {
    recurrence_of_lines<width>(a + at, b + at, out + at, length, step, stride);
  }
};

template <class R, class T>
void scan_kernel(const T* x, T* out, int64_t length, int64_t inner, bool reverse, int64_t begin, int64_t end) {
  for_each_line(ScanLines<R, T>{x, out, length}, length, inner, reverse, begin, end);
}

template <class T>
void product_kernel(const T* x, T* out, int64_t reduced, int64_t inner, int64_t begin, int64_t end) {
  for_each_line(ProductOfLines<T>{x, out, reduced}, reduced, inner, false, begin, end);
}

template <class T>
void recurrence_kernel(const T* a, const T* b, T* out, int64_t length, int64_t inner, bool reverse, int64_t begin,
                       int64_t end) {
  for_each_line(RecurrenceOfLines<T>{a, b, out, length}, length, inner, reverse, begin, end);
}
