// Parameter updates, one pass over parameter, gradient and state. The formulas are in lib/program/schema.ts.
#pragma once

#include "kernels/vector_loop.h"
#include "simd/vectors.h"

struct SgdBody {
  const float* p;
  const float* g;
  float* p_out;
  F32 learning_rate;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    lanes.write(p_out + i, lanes.read(p + i) - learning_rate * lanes.read(g + i));
  }
};

inline void sgd_kernel(const float* p, const float* g, float learning_rate, float* p_out, int64_t begin, int64_t end) {
  for_each_vector(begin, end, SgdBody{p, g, p_out, broadcast(learning_rate)});
}

template <bool nesterov>
struct MomentumBody {
  const float* p;
  const float* g;
  const float* v;
  float* p_out;
  float* v_out;
  F32 learning_rate, momentum;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    const F32 gradient = lanes.read(g + i);
    const F32 velocity = momentum * lanes.read(v + i) + gradient;
    const F32 direction = nesterov ? gradient + momentum * velocity : velocity;
    lanes.write(p_out + i, lanes.read(p + i) - learning_rate * direction);
    lanes.write(v_out + i, velocity);
  }
};

inline void momentum_kernel(const float* p, const float* g, const float* v, float learning_rate, float momentum,
                            bool nesterov, float* p_out, float* v_out, int64_t begin, int64_t end) {
  const F32 rate = broadcast(learning_rate), decay = broadcast(momentum);
  if (nesterov) {
    for_each_vector<2>(begin, end, MomentumBody<true>{p, g, v, p_out, v_out, rate, decay});
  } else {
    for_each_vector<2>(begin, end, MomentumBody<false>{p, g, v, p_out, v_out, rate, decay});
  }
}

struct AdamBody {
  const float* p;
  const float* g;
  const float* m;
  const float* v;
  float* p_out;
  float* m_out;
  float* v_out;
  AdamScalars scalars;
  template <class Lanes>
  void operator()(int64_t i, Lanes lanes) const {
    const F32 gradient = lanes.read(g + i);
    const F32 first = broadcast(scalars.beta1) * lanes.read(m + i) + broadcast(scalars.one_minus_beta1) * gradient;
    const F32 second =
        broadcast(scalars.beta2) * lanes.read(v + i) + broadcast(scalars.one_minus_beta2) * (gradient * gradient);
    const F32 scale = sqrt(second) * broadcast(scalars.inverse_sqrt_bias2) + broadcast(scalars.epsilon);
    const F32 update = broadcast(scalars.step_size) * first / scale;
    lanes.write(p_out + i, lanes.read(p + i) * broadcast(scalars.decay) - update);
    lanes.write(m_out + i, first);
    lanes.write(v_out + i, second);
  }
};

inline void adam_kernel(const AdamScalars& scalars, const float* p, const float* g, const float* m, const float* v,
                        float* p_out, float* m_out, float* v_out, int64_t begin, int64_t end) {
  for_each_vector<2>(begin, end, AdamBody{p, g, m, v, p_out, m_out, v_out, scalars});
}
