#include <algorithm>
#include <numeric>

#include "any_dynamics.hpp"
#include "coffee_fast/rng.hpp"
#include "pybind.hpp"

namespace coffee_fast::bindings {
namespace {

/// Episodes stepped from outside, one a lane; chance moves by itself, by the streams that rollouts draw it from.
class Episodes {
 public:
  static constexpr std::int32_t nobody = -2, wait = -1;

  Episodes(AnyDynamics dynamics, std::size_t count, std::uint64_t seed)
      : dynamics_(std::move(dynamics)), seed_(seed), batch_(dynamics_.make_batch(count)) {
    check(count > 0, "Episodes: count must be at least 1, got 0");
    players_.assign(count, nobody);
    numbers_.assign(count, 0);
    times_.assign(count, 0);
    returns_.assign(count * dynamics_.num_players(), 0.0);
  }

  std::size_t count() const { return players_.size(); }
  const AnyDynamics& dynamics() const { return dynamics_; }
  const std::vector<std::int32_t>& players() const { return players_; }
  const std::vector<double>& returns() const { return returns_; }

  void begin(std::span<const std::int32_t> lanes, std::span<const std::uint64_t> numbers) {
    check(lanes.size() == numbers.size(), "Episodes.begin: lanes and numbers must be as many, got ", lanes.size(),
          " and ", numbers.size());
    std::vector<std::int32_t> sorted(lanes.begin(), lanes.end());
    std::ranges::sort(sorted);
    check(sorted.empty() || (sorted.front() >= 0 && static_cast<std::size_t>(sorted.back()) < count() &&
                             std::ranges::adjacent_find(sorted) == sorted.end()),
          "Episodes.begin: lanes must differ and lie in [0, ", count(), ")");
    std::vector<EpisodeKey> keys;
    for (const std::uint64_t number : numbers) keys.push_back({seed_, 0, number});
    dynamics_.reset(batch_, lanes, keys);
    for (std::size_t row = 0; row < lanes.size(); ++row) {
      const auto lane = static_cast<std::size_t>(lanes[row]);
      numbers_[lane] = numbers[row];
      times_[lane] = 0;
      std::ranges::fill(of_lane(returns_, lane), 0.0);
    }
    std::vector<double> rewards(returns_.size()), disagreement(count());
    settle(sorted, rewards, disagreement);
  }

  /// Lanes that are not over, and a view of what is asked of them into rows of all lanes; the others are zero.
  template <class T, class Ask>
  std::vector<T> gather(std::size_t width, const Ask& ask) {
    const std::vector<std::int32_t> lanes = active();
    std::vector<T> rows(lanes.size() * width), all(count() * width);
    if (!lanes.empty()) ask(lanes, MatrixView<T>{rows.data(), lanes.size(), width});
    for (std::size_t row = 0; row < lanes.size(); ++row)
      std::copy_n(rows.begin() + static_cast<std::ptrdiff_t>(row * width), width,
                  all.begin() + static_cast<std::ptrdiff_t>(static_cast<std::size_t>(lanes[row]) * width));
    return all;
  }
  std::vector<float> information_states() {
    return gather<float>(dynamics_.information_state_size(),
                         [&](auto& lanes, auto out) { dynamics_.information_states(batch_, lanes, out); });
  }
  std::vector<std::uint8_t> legal_masks() {
    return gather<std::uint8_t>(dynamics_.num_actions(),
                                [&](auto& lanes, auto out) { dynamics_.legal_masks(batch_, lanes, out); });
  }
  std::vector<float> observations() {
    return gather<float>(dynamics_.num_players() * dynamics_.observation_size(),
                         [&](auto& lanes, auto out) { dynamics_.observations(batch_, lanes, out); });
  }

  /// Writes what each lane's players were paid, [L, N], and what the members disagree about, [L].
  void step(std::span<const std::int32_t> actions, std::vector<double>& rewards, std::vector<double>& disagreement) {
    check(actions.size() == count(), "Episodes.step: actions must be ", count(), ", one a lane, got ", actions.size());
    const std::vector<std::uint8_t> masks = legal_masks();
    const std::size_t A = dynamics_.num_actions();
    std::vector<std::int32_t> lanes, chosen;
    for (const std::int32_t lane : active()) {
      const std::int32_t action = actions[static_cast<std::size_t>(lane)];
      if (action == wait) continue;
      check(action >= 0 && static_cast<std::size_t>(action) < A &&
                masks[static_cast<std::size_t>(lane) * A + static_cast<std::size_t>(action)] != 0,
            "Episodes.step: actions must be legal, got ", action, " in lane ", lane);
      lanes.push_back(lane);
      chosen.push_back(action);
    }
    move(lanes, chosen, rewards, disagreement);
    std::erase_if(lanes, [&](std::int32_t lane) { return players_[static_cast<std::size_t>(lane)] == nobody; });
    settle(std::move(lanes), rewards, disagreement);
  }

 private:
  std::span<double> of_lane(std::vector<double>& values, std::size_t lane) const {
    return std::span(values).subspan(lane * dynamics_.num_players(), dynamics_.num_players());
  }

  std::vector<std::int32_t> active() const {
    std::vector<std::int32_t> lanes;
    for (std::size_t lane = 0; lane < count(); ++lane)
      if (players_[lane] != nobody) lanes.push_back(static_cast<std::int32_t>(lane));
    return lanes;
  }

  void move(std::span<const std::int32_t> lanes, std::span<const std::int32_t> actions, std::vector<double>& rewards,
            std::vector<double>& disagreement) {
    if (lanes.empty()) return;
    const std::size_t N = dynamics_.num_players(), E = dynamics_.num_members();
    std::vector<double> paid(lanes.size() * N * E), unsure(lanes.size());
    std::vector<std::uint8_t> terminal(lanes.size());
    dynamics_.step(batch_, lanes, actions, {{paid.data(), lanes.size(), N * E}, unsure, terminal});
    for (std::size_t row = 0; row < lanes.size(); ++row) {
      const auto lane = static_cast<std::size_t>(lanes[row]);
      ++times_[lane];
      disagreement[lane] += unsure[row];
      for (std::size_t player = 0; player < N; ++player) {
        const auto members = std::span(paid).subspan((row * N + player) * E, E);
        const double reward = std::accumulate(members.begin(), members.end(), 0.0) / static_cast<double>(E);
        of_lane(rewards, lane)[player] += reward;
        of_lane(returns_, lane)[player] += reward;
      }
      if (terminal[row]) players_[lane] = nobody;
    }
  }

  /// Asks who is on move, and lets chance move until it is a player or nobody.
  void settle(std::vector<std::int32_t> lanes, std::vector<double>& rewards, std::vector<double>& disagreement) {
    while (!lanes.empty()) {
      std::vector<std::int32_t> movers(lanes.size()), by_chance, outcomes;
      dynamics_.players_to_act(batch_, lanes, movers);
      for (std::size_t row = 0; row < lanes.size(); ++row) {
        players_[static_cast<std::size_t>(lanes[row])] = movers[row];
        if (movers[row] == chance_player) by_chance.push_back(lanes[row]);
      }
      if (by_chance.empty()) return;
      const std::size_t C = dynamics_.num_chance_outcomes();
      std::vector<double> probabilities(by_chance.size() * C);
      const MatrixView<double> rows{probabilities.data(), by_chance.size(), C};
      dynamics_.chance_probabilities(batch_, by_chance, rows);
      for (std::size_t row = 0; row < by_chance.size(); ++row) {
        const auto lane = static_cast<std::size_t>(by_chance[row]);
        Stream stream(seed_, Purpose::chance, 0, numbers_[lane], times_[lane]);
        outcomes.push_back(static_cast<std::int32_t>(sample_categorical(rows.row(row), stream.next_double())));
      }
      move(by_chance, outcomes, rewards, disagreement);
      lanes.clear();
      for (const std::int32_t lane : by_chance)
        if (players_[static_cast<std::size_t>(lane)] != nobody) lanes.push_back(lane);
    }
  }

  AnyDynamics dynamics_;
  std::uint64_t seed_;
  AnyDynamics::Batch batch_;
  std::vector<std::int32_t> players_;
  std::vector<std::uint64_t> numbers_;
  std::vector<std::uint32_t> times_;
  std::vector<double> returns_;
};

py::ssize_t extent(std::size_t value) { return static_cast<py::ssize_t>(value); }

py::tuple step_episodes(Episodes& self, const Array<std::int32_t>& actions) {
  const std::size_t N = self.dynamics().num_players();
  std::vector<double> rewards(self.count() * N), disagreement(self.count());
  const auto chosen = as_span(actions);
  without_gil([&](CancelToken&) { self.step(chosen, rewards, disagreement); });
  return py::make_tuple(to_array(std::move(rewards), {extent(self.count()), extent(N)}),
                        to_array(std::move(disagreement)));
}

}  // namespace

void bind_episodes(py::module_& module) {
  py::class_<Episodes>(module, "Episodes", "Episodes of any dynamics, stepped from outside; chance moves by itself.")
      .def(py::init<AnyDynamics, std::size_t, std::uint64_t>(), py::arg("dynamics"), py::arg("count"), py::kw_only(),
           py::arg("seed"))
      .def(
          "begin",
          [](Episodes& self, const Array<std::int32_t>& lanes, const Array<std::uint64_t>& numbers) {
            const auto begun = as_span(lanes);
            const auto called = as_span(numbers);
            without_gil([&](CancelToken&) { self.begin(begun, called); });
          },
          py::arg("lanes").noconvert(), py::arg("numbers").noconvert(),
          "Begin the episodes of these numbers in these lanes.")
      .def(
          "players", [](const Episodes& self) { return to_array(std::vector<std::int32_t>(self.players())); },
          "i32 [L]: who is on move, -2 where it is over.")
      .def("returns",
           [](const Episodes& self) {
             return to_array(std::vector<double>(self.returns()),
                             {extent(self.count()), extent(self.dynamics().num_players())});
           })
      .def("information_states",
           [](Episodes& self) {
             auto rows = without_gil([&](CancelToken&) { return self.information_states(); });
             return to_array(std::move(rows), {extent(self.count()), extent(self.dynamics().information_state_size())});
           })
      .def("legal_masks",
           [](Episodes& self) {
             auto rows = without_gil([&](CancelToken&) { return self.legal_masks(); });
             return to_array(std::move(rows), {extent(self.count()), extent(self.dynamics().num_actions())});
           })
      .def("observations",
           [](Episodes& self) {
             auto rows = without_gil([&](CancelToken&) { return self.observations(); });
             return to_array(std::move(rows), {extent(self.count()), extent(self.dynamics().num_players()),
                                               extent(self.dynamics().observation_size())});
           })
      .def(
          "step", &step_episodes, py::arg("actions").noconvert(),
          "Play one action a lane, whatever in lanes that are over; returns rewards f64 [L, N] up to the next decision "
          "and disagreement f64 [L].");
}

}  // namespace coffee_fast::bindings
