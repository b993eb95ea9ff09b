#include <memory>

#include "any_dynamics.hpp"
#include "coffee_fast/actor.hpp"
#include "coffee_fast/replay_buffer.hpp"

namespace coffee_fast::bindings {
namespace {

template <class T>
py::array_t<T> copy_rows(const std::vector<T>& values, std::size_t columns) {
  const std::size_t rows = columns == 0 ? 0 : values.size() / columns;
  std::vector<T> copy = values;
  return to_array(std::move(copy), {static_cast<py::ssize_t>(rows), static_cast<py::ssize_t>(columns)});
}

template <class T>
py::array_t<T> copy_vector(std::vector<T> values) {
  const auto size = static_cast<py::ssize_t>(values.size());
  return to_array(std::move(values), {size});
}

py::dict sample(const ReplayBuffer& replay, std::size_t batch_size, std::uint64_t seed, std::uint64_t draw_index) {
  check(batch_size <= replay.size(), "sample: batch_size must be at most the number of transitions held (",
        replay.size(), "), got ", batch_size);
  const auto rows = static_cast<py::ssize_t>(batch_size);
  const auto features = static_cast<py::ssize_t>(replay.information_state_size());
  const auto actions = static_cast<py::ssize_t>(replay.num_actions());
  Array<float> states({rows, features}), next_states({rows, features}), rewards(rows);
  Array<std::int32_t> taken(rows);
  Array<std::uint8_t> is_final(rows), masks({rows, actions});
  const SampledTransitions batch{
      as_mutable_matrix(states),      {taken.mutable_data(), batch_size},    {rewards.mutable_data(), batch_size},
      as_mutable_matrix(next_states), {is_final.mutable_data(), batch_size}, as_mutable_matrix(masks)};
  replay.sample(Stream(seed, Purpose::replay, 0, draw_index), batch);
  py::dict result;
  result["information_states"] = states;
  result["actions"] = taken;
  result["rewards"] = rewards;
  result["next_information_states"] = next_states;
  result["is_final"] = is_final;
  result["next_legal_masks"] = masks;
  return result;
}

void export_replay(const ReplayBuffer& replay, py::dict& state) {
  const ReplayBuffer::Contents& contents = replay.contents();
  state["replay.information_states"] = copy_rows(contents.information_states, replay.information_state_size());
  state["replay.actions"] = copy_vector(contents.actions);
  state["replay.rewards"] = copy_vector(contents.rewards);
  state["replay.next_information_states"] =
      copy_rows(contents.next_information_states, replay.information_state_size());
  state["replay.is_final"] = copy_vector(contents.is_final);
  state["replay.next_legal_mask_bits"] = copy_rows(contents.next_legal_mask_bits, packed_size(replay.num_actions()));
  state["replay.num_pushed"] = copy_vector(std::vector<std::uint64_t>{contents.num_pushed});
}

ReplayBuffer::Contents import_replay(const py::dict& state) {
  const auto num_pushed = take<std::uint64_t>(state, "replay.num_pushed");
  check(num_pushed.size() == 1, "restore: 'replay.num_pushed' must hold 1 number, got ", num_pushed.size());
  return {take<float>(state, "replay.information_states"),
          take<std::int32_t>(state, "replay.actions"),
          take<float>(state, "replay.rewards"),
          take<float>(state, "replay.next_information_states"),
          take<std::uint8_t>(state, "replay.is_final"),
          take<std::uint8_t>(state, "replay.next_legal_mask_bits"),
          num_pushed[0]};
}

py::dict export_state(const ActorBase& actor) {
  const ActorBase::State state = actor.state();
  const ActorCounters& counters = state.counters;
  std::vector<std::int32_t> actions, lengths;
  for (const std::vector<std::int32_t>& lane : state.lane_actions) {
    lengths.push_back(static_cast<std::int32_t>(lane.size()));
    actions.insert(actions.end(), lane.begin(), lane.end());
  }
  py::dict result;
  export_replay(actor.replay(), result);
  result["counters"] =
      copy_vector(std::vector<std::uint64_t>{counters.num_decisions, counters.num_calls, counters.num_started_episodes,
                                             counters.num_finished_episodes, counters.num_finished_coverage_episodes});
  result["averages"] = copy_vector(std::vector<double>{counters.mean_return, counters.mean_disagreement});
  result["lanes.episodes"] = copy_vector(state.lane_episodes);
  result["lanes.lengths"] = copy_vector(std::move(lengths));
  result["lanes.actions"] = copy_vector(std::move(actions));
  return result;
}

void import_state(ActorBase& actor, const py::dict& dict) {
  const auto counters = take<std::uint64_t>(dict, "counters");
  const auto averages = take<double>(dict, "averages");
  check(counters.size() == 5 && averages.size() == 2, "restore: 'counters' must hold 5 numbers and 'averages' 2, got ",
        counters.size(), " and ", averages.size());
  ActorBase::State state{import_replay(dict),
                         {counters[0], counters[1], counters[2], counters[3], counters[4], averages[0], averages[1]},
                         take<std::uint64_t>(dict, "lanes.episodes"),
                         {}};
  const auto lengths = take<std::int32_t>(dict, "lanes.lengths");
  const auto actions = take<std::int32_t>(dict, "lanes.actions");
  std::size_t first = 0;
  for (const std::int32_t length : lengths) {
    check(length >= 0 && static_cast<std::size_t>(length) <= actions.size() - first,
          "restore: 'lanes.lengths' must be nonnegative and sum to the length of 'lanes.actions', ", actions.size());
    const auto begin = actions.begin() + static_cast<std::ptrdiff_t>(first);
    state.lane_actions.emplace_back(begin, begin + length);
    first += static_cast<std::size_t>(length);
  }
  without_gil([&](CancelToken&) { actor.restore(state); });
}

struct OwnedDynamics {
  AnyDynamics dynamics;
};

/// An actor that keeps its dynamics alive.
class BoundActor final : private OwnedDynamics, public Actor<AnyDynamics> {
 public:
  BoundActor(AnyDynamics played, std::vector<PolicyMixture> opponents, const ActorOptions& options)
      : OwnedDynamics{std::move(played)}, Actor<AnyDynamics>(dynamics, std::move(opponents), options) {}
};

using Opponents = std::vector<std::pair<std::vector<Policy>, std::vector<double>>>;

std::unique_ptr<ActorBase> make_actor(AnyDynamics dynamics, const Opponents& opponents, std::uint64_t seed,
                                      std::vector<std::size_t> seats, std::size_t num_parallel_episodes,
                                      std::size_t replay_capacity, double uncertainty_penalty, double coverage_weight,
                                      double epsilon_start, double epsilon_end, std::uint64_t epsilon_decay_steps) {
  std::vector<PolicyMixture> mixtures;
  for (const auto& [policies, probabilities] : opponents) mixtures.push_back({policies, probabilities});
  const ActorOptions options{
      seed,          std::move(seats), num_parallel_episodes, replay_capacity, uncertainty_penalty, coverage_weight,
      epsilon_start, epsilon_end,      epsilon_decay_steps};
  return std::make_unique<BoundActor>(std::move(dynamics), std::move(mixtures), options);
}

}  // namespace

void bind_actor(py::module_& module) {
  py::class_<ReplayBuffer>(module, "ReplayBuffer", "The last `capacity` transitions pushed, sampled uniformly.")
      .def(py::init<std::size_t, std::size_t, std::size_t>(), py::arg("capacity"), py::arg("information_state_size"),
           py::arg("num_actions"))
      .def_property_readonly("capacity", &ReplayBuffer::capacity)
      .def("__len__", &ReplayBuffer::size)
      .def(
          "push",
          [](ReplayBuffer& replay, const Array<float>& state, std::int32_t action, float reward,
             const Array<float>& next_state, bool is_final, const Array<std::uint8_t>& next_mask) {
            check(static_cast<std::size_t>(next_mask.size()) == replay.num_actions(),
                  "ReplayBuffer.push: next_legal_mask must have ", replay.num_actions(), " entries, got ",
                  next_mask.size());
            std::vector<std::uint8_t> bits(packed_size(replay.num_actions()));
            pack_legal_mask(as_span(next_mask), bits);
            replay.push({as_span(state), action, reward, as_span(next_state), is_final, bits});
          },
          py::arg("information_state").noconvert(), py::arg("action"), py::arg("reward"),
          py::arg("next_information_state").noconvert(), py::arg("is_final"), py::arg("next_legal_mask").noconvert())
      .def("sample", &sample, py::arg("batch_size"), py::arg("seed"), py::arg("draw_index"),
           "A mini-batch of distinct transitions as a dict of arrays, a row each.")
      .def("export_state",
           [](const ReplayBuffer& replay) {
             py::dict state;
             export_replay(replay, state);
             return state;
           })
      .def(
          "restore", [](ReplayBuffer& replay, const py::dict& state) { replay.restore(import_replay(state)); },
          py::arg("state"));

  py::class_<ActorBase>(module, "Actor", "Collects a learner's experience in many episodes at a time.")
      .def(py::init(&make_actor), py::arg("dynamics"), py::arg("opponents"), py::kw_only(), py::arg("seed"),
           py::arg("seats") = std::vector<std::size_t>{0}, py::arg("num_parallel_episodes") = 32,
           py::arg("replay_capacity") = 50'000, py::arg("uncertainty_penalty") = 0.0, py::arg("coverage_weight") = 0.0,
           py::arg("epsilon_start") = 1.0, py::arg("epsilon_end") = 0.02, py::arg("epsilon_decay_steps") = 200'000)
      .def(
          "advance",
          [](ActorBase& self, const Mlp& q_network) { without_gil([&](CancelToken&) { self.advance(q_network); }); },
          py::arg("q_network"), "One step of every episode; releases the GIL.")
      .def(
          "sample",
          [](const ActorBase& self, std::size_t batch_size, std::uint64_t draw_index) {
            return sample(self.replay(), batch_size, self.options().seed, draw_index);
          },
          py::arg("batch_size"), py::arg("draw_index"), "A mini-batch from the replay buffer, see ReplayBuffer.sample.")
      .def("epsilon", &ActorBase::epsilon, py::arg("call"))
      .def_property_readonly("num_transitions", [](const ActorBase& self) { return self.replay().size(); })
      .def_property_readonly("num_decisions", [](const ActorBase& self) { return self.counters().num_decisions; })
      .def_property_readonly("num_calls", [](const ActorBase& self) { return self.counters().num_calls; })
      .def_property_readonly("num_episodes",
                             [](const ActorBase& self) { return self.counters().num_finished_episodes; })
      .def_property_readonly("num_coverage_episodes",
                             [](const ActorBase& self) { return self.counters().num_finished_coverage_episodes; })
      .def_property_readonly("mean_return", [](const ActorBase& self) { return self.counters().mean_return; })
      .def_property_readonly("mean_disagreement",
                             [](const ActorBase& self) { return self.counters().mean_disagreement; })
      .def("export_state", &export_state,
           "Everything another actor of the same arguments needs to continue with the same bits, as named arrays.")
      .def("restore", &import_state, py::arg("state"));
}

}  // namespace coffee_fast::bindings
