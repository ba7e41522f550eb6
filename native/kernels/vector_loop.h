// Loops by vectors. A body is a function of an index and of `lanes`, by which it loads and stores: Whole for full
// vectors, Part for what is left at the end. So its body is written once.
#pragma once

struct Whole {
  template <class T>
  auto read(const T* p) const { return load(p); }
  template <class T, class V>
  void write(T* p, V value) const { store(p, value); }
  // `value` in the lanes that exist, `other` in the rest.
  template <class V>
  V or_else(V value, V) const { return value; }
};

struct Part {
  int count;
  template <class T>
  auto read(const T* p) const { return load_partial(p, count); }
  template <class T, class V>
  void write(T* p, V value) const { store_partial(p, value, count); }
  template <class V>
  V or_else(V value, V other) const { return select(first_lanes(count), value, other); }
};

template <int kUnroll = 4, class Body>
inline void for_each_vector(int64_t begin, int64_t end, const Body& body) {
  int64_t i = begin;
  for (; i + kUnroll * kLanes <= end; i += kUnroll * kLanes) {
    for (int u = 0; u < kUnroll; ++u) body(i + u * kLanes, Whole());
  }
  for (; i + kLanes <= end; i += kLanes) body(i, Whole());
  if (i < end) body(i, Part{static_cast<int>(end - i)});
}
