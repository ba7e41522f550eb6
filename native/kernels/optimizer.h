// Parameter updates, one pass over parameter, gradient and state. The formulas are in lib/program/schema.ts.
#pragma once

#include "kernels/vector_loop.h"
#include "simd/vectors.h"

template <class T, class V = VectorOf<T>>
struct SgdBody {
  const T* p;
  const T* g;
  T* p_out;
  V learning_rate;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(p_out + i, lanes.read(p + i) - learning_rate * lanes.read(g + i));
  }
};

template <class T>
void sgd_kernel(const T* p, const T* g, T learning_rate, T* p_out, int64_t begin, int64_t end) {
  for_each_vector(begin, end, SgdBody<T>{p, g, p_out, broadcast(learning_rate)});
}

template <bool nesterov, class T, class V = VectorOf<T>>
struct MomentumBody {
  const T* p;
  const T* g;
  const T* v;
  T* p_out;
  T* v_out;
  V learning_rate, momentum;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    const auto gradient = lanes.read(g + i);
    const auto velocity = momentum * lanes.read(v + i) + gradient;
    const auto direction = nesterov ? gradient + momentum * velocity : velocity;
    lanes.write(p_out + i, lanes.read(p + i) - learning_rate * direction);
    lanes.write(v_out + i, velocity);
  }
};

template <class T>
void momentum_kernel(const T* p, const T* g, const T* v, T learning_rate, T momentum, bool nesterov, T* p_out, T* v_out,
                     int64_t begin, int64_t end) {
  const VectorOf<T> rate = broadcast(learning_rate), decay = broadcast(momentum);
  if (nesterov) {
    for_each_vector<2>(begin, end, MomentumBody<true, T>{p, g, v, p_out, v_out, rate, decay});
  } else {
    for_each_vector<2>(begin, end, MomentumBody<false, T>{p, g, v, p_out, v_out, rate, decay});
  }
}

template <class T>
struct AdamBody {
  const T* p;
  const T* g;
  const T* m;
  const T* v;
  T* p_out;
  T* m_out;
  T* v_out;
  AdamScalars<T> scalars;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    const auto gradient = lanes.read(g + i);
    const auto first = broadcast(scalars.beta1) * lanes.read(m + i) + broadcast(scalars.one_minus_beta1) * gradient;
    const auto second =
        broadcast(scalars.beta2) * lanes.read(v + i) + broadcast(scalars.one_minus_beta2) * (gradient * gradient);
    const auto scale = sqrt(second) * broadcast(scalars.inverse_sqrt_bias2) + broadcast(scalars.epsilon);
    const auto update = broadcast(scalars.step_size) * first / scale;
    lanes.write(p_out + i, lanes.read(p + i) * broadcast(scalars.decay) - update);
    lanes.write(m_out + i, first);
    lanes.write(v_out + i, second);
  }
};

template <class T>
void adam_kernel(const AdamScalars<T>& scalars, const T* p, const T* g, const T* m, const T* v, T* p_out, T* m_out,
                 T* v_out, int64_t begin, int64_t end) {
  for_each_vector<2>(begin, end, AdamBody<T>{p, g, m, v, p_out, m_out, v_out, scalars});
}
