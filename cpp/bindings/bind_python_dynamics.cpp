#include <algorithm>
#include <memory>
#include <string>

#include "any_dynamics.hpp"
#include "coffee_fast/rng.hpp"

namespace coffee_fast::bindings {
namespace {

/// A Python object that any thread may let go of, with the GIL or without.
std::shared_ptr<const py::object> hold(py::object object) {
  return {new py::object(std::move(object)), [](const py::object* held) {
            py::gil_scoped_acquire gil;
            delete held;
          }};
}

/// Dynamics that are written in Python: each batch operation takes the GIL and calls the method of the same name of the
/// batch's Python object with the lanes; what it returns must have the dtype and shape that the operation gives.
class PythonDynamics {
 public:
  struct Sizes {
    std::size_t num_players, num_actions, num_chance_outcomes, state_size, observation_size, information_state_size;
    std::size_t max_episode_length;
  };
  struct Batch {
    std::shared_ptr<const py::object> object;
  };
  using Lanes = std::span<const std::int32_t>;

  PythonDynamics(py::object make_batch, const Sizes& sizes) : make_batch_(hold(std::move(make_batch))), sizes_(sizes) {}

  std::size_t num_players() const { return sizes_.num_players; }
  std::size_t num_actions() const { return sizes_.num_actions; }
  std::size_t num_members() const { return 1; }
  std::size_t num_chance_outcomes() const { return sizes_.num_chance_outcomes; }
  std::size_t state_size() const { return sizes_.state_size; }
  std::size_t observation_size() const { return sizes_.observation_size; }
  std::size_t information_state_size() const { return sizes_.information_state_size; }
  std::size_t max_episode_length() const { return sizes_.max_episode_length; }

  Batch make_batch(std::size_t capacity) const {
    py::gil_scoped_acquire gil;
    return {hold((*make_batch_)(capacity))};
  }
  void reset(Batch& batch, Lanes lanes, std::span<const EpisodeKey> keys) const {
    py::gil_scoped_acquire gil;
    Array<std::uint64_t> numbers({static_cast<py::ssize_t>(keys.size()), py::ssize_t{3}});
    for (std::size_t row = 0; row < keys.size(); ++row) {
      numbers.mutable_at(row, 0) = keys[row].seed;
      numbers.mutable_at(row, 1) = keys[row].profile;
      numbers.mutable_at(row, 2) = keys[row].rollout;
    }
    batch.object->attr("reset")(copied(lanes), numbers);
  }
  void players_to_act(Batch& batch, Lanes lanes, std::span<std::int32_t> players) const {
    ask(batch, "players_to_act", lanes, MatrixView<std::int32_t>{players.data(), players.size(), 1});
  }
  void information_states(Batch& batch, Lanes lanes, MatrixView<float> out) const {
    ask(batch, "information_states", lanes, out);
  }
  void legal_masks(Batch& batch, Lanes lanes, MatrixView<std::uint8_t> out) const {
    ask(batch, "legal_masks", lanes, out);
  }
  void states(Batch& batch, Lanes lanes, MatrixView<float> out) const { ask(batch, "states", lanes, out); }
  void observations(Batch& batch, Lanes lanes, MatrixView<float> out) const { ask(batch, "observations", lanes, out); }
  void chance_probabilities(Batch& batch, Lanes lanes, MatrixView<double> out) const {
    ask(batch, "chance_probabilities", lanes, out);
  }
  void step(Batch& batch, Lanes lanes, std::span<const std::int32_t> actions, const StepOutputs& outputs) const {
    py::gil_scoped_acquire gil;
    const py::tuple results = batch.object->attr("step")(copied(lanes), copied(actions));
    copy_rows("step", results[0], outputs.rewards);
    copy_rows("step", results[1], MatrixView<std::uint8_t>{outputs.terminal.data(), outputs.terminal.size(), 1});
    std::ranges::fill(outputs.disagreement, 0.0);
  }

 private:
  static Array<std::int32_t> copied(std::span<const std::int32_t> values) {
    return Array<std::int32_t>(static_cast<py::ssize_t>(values.size()), values.data());
  }

  template <class T>
  static void copy_rows(const char* method, const py::object& result, MatrixView<T> out) {
    const Array<T> array = as_array<T>(result);
    check(array && static_cast<std::size_t>(array.size()) == out.rows * out.columns, "PythonDynamics: ", method,
          " must return a C-contiguous array of dtype ", std::string(py::str(py::dtype::of<T>())), " with ", out.rows,
          " rows of ", out.columns);
    for (std::size_t row = 0; row < out.rows; ++row)
      std::copy_n(array.data() + row * out.columns, out.columns, out.row(row).begin());
  }

  template <class T>
  static void ask(const Batch& batch, const char* method, Lanes lanes, MatrixView<T> out) {
    py::gil_scoped_acquire gil;
    copy_rows(method, batch.object->attr(method)(copied(lanes)), out);
  }

  std::shared_ptr<const py::object> make_batch_;
  Sizes sizes_;
};

static_assert(HasChance<PythonDynamics>);

/// `count` uniform numbers a row, after the first `start` of the stream of its key and step.
Array<double> uniform_numbers(const Array<std::uint64_t>& keys, Purpose purpose, const Array<std::int64_t>& steps,
                              std::size_t count, std::size_t start) {
  check(keys.ndim() == 2 && keys.shape(1) == 3 && steps.ndim() == 1 && steps.shape(0) == keys.shape(0),
        "uniform_numbers: keys must have shape [L, 3] and steps [L]");
  constexpr std::size_t most = std::size_t{1} << 24;  // of one move of one episode: more is no number of draws
  check(count <= most && start <= most, "uniform_numbers: count and start must be at most ", most, ", got ", count,
        " and ", start);
  Array<double> numbers({keys.shape(0), static_cast<py::ssize_t>(count)});
  double* out = numbers.mutable_data();
  for (py::ssize_t row = 0; row < keys.shape(0); ++row) {
    Stream stream(keys.at(row, 0), purpose, keys.at(row, 1), keys.at(row, 2),
                  static_cast<std::uint32_t>(steps.at(row)));
    for (std::size_t skipped = 0; skipped < start; ++skipped) stream.next_double();
    for (std::size_t i = 0; i < count; ++i) *out++ = stream.next_double();
  }
  return numbers;
}

}  // namespace

void bind_python_dynamics(py::module_& module) {
  plays_as_any_dynamics<PythonDynamics>();
  py::class_<PythonDynamics, std::shared_ptr<PythonDynamics>>(module, "PythonDynamics")
      .def(py::init([](py::object make_batch, std::size_t num_players, std::size_t num_actions,
                       std::size_t num_chance_outcomes, std::size_t state_size, std::size_t observation_size,
                       std::size_t information_state_size, std::size_t max_episode_length) {
             return std::make_shared<PythonDynamics>(
                 std::move(make_batch),
                 PythonDynamics::Sizes{num_players, num_actions, num_chance_outcomes, state_size, observation_size,
                                       information_state_size, max_episode_length});
           }),
           py::arg("make_batch"), py::kw_only(), py::arg("num_players"), py::arg("num_actions"),
           py::arg("num_chance_outcomes"), py::arg("state_size"), py::arg("observation_size"),
           py::arg("information_state_size"), py::arg("max_episode_length"))
      .def_property_readonly("num_players", &PythonDynamics::num_players)
      .def_property_readonly("num_actions", &PythonDynamics::num_actions)
      .def_property_readonly("num_members", &PythonDynamics::num_members)
      .def_property_readonly("num_chance_outcomes", &PythonDynamics::num_chance_outcomes)
      .def_property_readonly("state_size", &PythonDynamics::state_size)
      .def_property_readonly("observation_size", &PythonDynamics::observation_size)
      .def_property_readonly("information_state_size", &PythonDynamics::information_state_size)
      .def_property_readonly("max_episode_length", &PythonDynamics::max_episode_length);
  module.def("uniform_numbers", &uniform_numbers, py::arg("keys").noconvert(), py::arg("purpose"),
             py::arg("steps").noconvert(), py::arg("count"), py::arg("start") = 0,
             "Numbers f64 [L, count] on [0, 1), a row of the stream of keys u64 [L, 3] (seed, profile, rollout) and "
             "steps i64 [L], after its first `start`.");
}

}  // namespace coffee_fast::bindings
