// The double-Q gradient step of QNetwork by RLtools, its networks, backward pass and Adam, at the paper's sizes.
// RLtools has no Q-learner of its own: what stands here beside its calls is the loss. Built and called by
// rltools_q_step.py.

#include <cstdint>

// clang-format off: RLtools' operations must come in this order
#include <rl_tools/operations/cpu_mux.h>
#include <rl_tools/nn/optimizers/adam/instance/operations_generic.h>
#include <rl_tools/nn/operations_cpu_mux.h>
#include <rl_tools/nn_models/mlp/operations_generic.h>
#include <rl_tools/nn/optimizers/adam/operations_generic.h>
// clang-format on

namespace {

namespace rlt = rl_tools;
using Device = rlt::devices::DEVICE_FACTORY<>;
using Index = Device::index_t;
using Types = rlt::numeric_types::Policy<float>;
constexpr Index num_inputs = 41, num_hidden = 200, num_actions = 109, batch_size = 64;
constexpr auto relu = rlt::nn::activation_functions::ActivationFunction::RELU;
constexpr auto identity = rlt::nn::activation_functions::ActivationFunction::IDENTITY;

struct Torch : rlt::nn::optimizers::adam::DEFAULT_PARAMETERS_PYTORCH<Types> {
  static constexpr float ALPHA = 1e-4f;
  static constexpr float EPSILON_SQRT = 0.0f;  // torch has none
};

using Configuration = rlt::nn_models::mlp::Configuration<Types, Index, num_actions, 3, num_hidden, relu, identity>;
using Capability = rlt::nn::capability::Gradient<rlt::nn::parameters::Adam>;
using Network =
    rlt::nn_models::mlp::NeuralNetwork<Configuration, Capability, rlt::tensor::Shape<Index, batch_size, num_inputs>>;
template <Index columns>
using Matrix = rlt::Matrix<rlt::matrix::Specification<float, Index, batch_size, columns>>;

struct Learner {
  Device device;
  Device::SPEC::RANDOM::ENGINE<> random;
  Network online, target;
  Network::Buffer<> buffer;
  rlt::nn::optimizers::Adam<rlt::nn::optimizers::adam::Specification<Types, Index, Torch>> adam;
  Matrix<num_inputs> states, next_states;
  Matrix<num_actions> gradient, next_values, target_values;

  Learner() {
    each_buffer([&](auto& part) { rlt::malloc(device, part); });
    rlt::malloc(device, random);
    rlt::init(device, random, 0);
    rlt::reset_optimizer_state(device, adam, online);
  }
  ~Learner() {
    each_buffer([&](auto& part) { rlt::free(device, part); });
  }

  template <class Operation>
  void each_buffer(Operation operation) {
    operation(online);
    operation(target);
    operation(buffer);
    operation(adam);
    operation(states);
    operation(next_states);
    operation(gradient);
    operation(next_values);
    operation(target_values);
  }

  void step(const float* s, const std::int32_t* actions, const float* rewards, const float* next_s,
            const std::uint8_t* is_final, const std::uint8_t* legal, float discount) {
    for (Index b = 0; b < batch_size; ++b)
      for (Index i = 0; i < num_inputs; ++i) {
        rlt::set(states, b, i, s[b * num_inputs + i]);
        rlt::set(next_states, b, i, next_s[b * num_inputs + i]);
      }
    rlt::evaluate(device, online, next_states, next_values, buffer, random);
    rlt::evaluate(device, target, next_states, target_values, buffer, random);
    rlt::forward(device, online, states, buffer, random);
    rlt::zero_gradient(device, online);
    rlt::set_all(device, gradient, 0.0f);
    for (Index b = 0; b < batch_size; ++b) {
      Index best = num_actions;
      for (Index a = 0; a < num_actions; ++a)
        if (legal[b * num_actions + a] &&
            (best == num_actions || rlt::get(next_values, b, a) > rlt::get(next_values, b, best)))
          best = a;
      const float y = rewards[b] + (is_final[b] ? 0.0f : discount * rlt::get(target_values, b, best));
      const auto action = static_cast<Index>(actions[b]);
      rlt::set(gradient, b, action, 2.0f / batch_size * (rlt::get(online.output_layer.output, b, action) - y));
    }
    rlt::backward(device, online, states, gradient, buffer);
    rlt::step(device, adam, online);
  }
};

/// Calls `visit(value, tensor, indices...)` for every parameter, laid out as torch.nn.Linear's, layer after layer.
template <class Visit>
void each_parameter(Network& network, Visit visit) {
  const auto layer = [&](auto& part) {
    using Layer = std::remove_reference_t<decltype(part)>;
    for (Index o = 0; o < Layer::OUTPUT_DIM; ++o)
      for (Index i = 0; i < Layer::INPUT_DIM; ++i) visit(part.weights.parameters, o, i);
    for (Index o = 0; o < Layer::OUTPUT_DIM; ++o) visit(part.biases.parameters, o);
  };
  layer(network.input_layer);
  layer(network.hidden_layers[0]);
  layer(network.output_layer);
}

}  // namespace

extern "C" {

Learner* rltools_make(const float* online, const float* target) {
  auto* learner = new Learner;
  const auto write = [learner](Network& network, const float* values) {
    each_parameter(network,
                   [&](auto& tensor, auto... index) { rlt::set(learner->device, tensor, *values++, index...); });
  };
  write(learner->online, online);
  write(learner->target, target);
  return learner;
}

void rltools_step(Learner* learner, const float* states, const std::int32_t* actions, const float* rewards,
                  const float* next_states, const std::uint8_t* is_final, const std::uint8_t* legal, float discount) {
  learner->step(states, actions, rewards, next_states, is_final, legal, discount);
}

void rltools_read(Learner* learner, float* values) {
  each_parameter(learner->online,
                 [&](auto& tensor, auto... index) { *values++ = rlt::get(learner->device, tensor, index...); });
}

void rltools_free(Learner* learner) { delete learner; }
}
