#include "coffee_fast/policy.hpp"

#include <algorithm>
#include <bit>
#include <cmath>
#include <cstring>
#include <numeric>

#include "coffee_fast/check.hpp"

namespace coffee_fast {
namespace {

/// Eight bytes of 0 and 1 of a mask; bytes beyond its end are 0.
std::uint64_t load_word(std::span<const std::uint8_t> mask, std::size_t first) {
  std::uint64_t word = 0;
  std::memcpy(&word, mask.data() + first, std::min<std::size_t>(8, mask.size() - first));
  return word;
}

std::uint32_t count_legal(std::span<const std::uint8_t> mask) {
  std::uint32_t count = 0;
  for (const std::uint8_t legal : mask) count += legal;
  return count;
}

std::int32_t sample_uniform(std::span<const std::uint8_t> mask, Stream& stream) {
  return nth_legal(mask, stream.next_below(count_legal(mask)));
}

/// A legal action with probability proportional to `weight(action)`; the first where none has any.
template <class Weight>
std::int32_t sample_weighted(std::span<const std::uint8_t> mask, Stream& stream, const Weight& weight) {
  double sum = 0.0;
  for (std::size_t action = 0; action < mask.size(); ++action) sum += mask[action] ? weight(action) : 0.0;
  const double threshold = stream.next_double() * sum;
  double cumulative = 0.0;
  std::int32_t chosen = nth_legal(mask, 0);
  for (std::size_t action = 0; action < mask.size(); ++action) {
    if (!mask[action]) continue;
    cumulative += weight(action);
    chosen = static_cast<std::int32_t>(action);
    if (threshold < cumulative) break;
  }
  return chosen;
}

/// exp(value / temperature) over the legal actions, shifted by the largest so that nothing overflows.
std::int32_t sample_softmax(std::span<const float> values, std::span<const std::uint8_t> mask, double temperature,
                            Stream& stream) {
  const double largest = values[static_cast<std::size_t>(masked_argmax(values, mask))];
  return sample_weighted(mask, stream, [&](std::size_t action) {
    return std::exp((static_cast<double>(values[action]) - largest) / temperature);
  });
}

void choose_by_table(const PolicyTable& table, MatrixView<const float> information_states,
                     MatrixView<const std::uint8_t> legal_masks, std::span<Stream> streams,
                     std::span<std::int32_t> actions) {
  for (std::size_t row = 0; row < legal_masks.rows; ++row) {
    const std::span<const std::uint8_t> mask = legal_masks.row(row);
    const std::span<const double> written = table.find(information_states.row(row));
    bool is_said = false;
    for (std::size_t action = 0; action < written.size(); ++action) is_said |= mask[action] && written[action] > 0.0;
    actions[row] = is_said ? sample_weighted(mask, streams[row], [&](std::size_t action) { return written[action]; })
                           : sample_uniform(mask, streams[row]);
  }
}

void choose_by_network(const Policy& policy, MatrixView<const float> information_states,
                       MatrixView<const std::uint8_t> legal_masks, std::span<Stream> streams,
                       std::span<std::int32_t> actions, PolicyWorkspace& workspace) {
  const std::size_t num_rows = information_states.rows, num_actions = legal_masks.columns;
  if (workspace.outputs.size() < num_rows * num_actions) workspace.outputs.resize(num_rows * num_actions);
  const MatrixView<float> outputs{workspace.outputs.data(), num_rows, num_actions};
  policy.network->forward(information_states, outputs, workspace.network);
  for (std::size_t row = 0; row < num_rows; ++row)
    actions[row] = policy.kind == Policy::Kind::greedy
                       ? masked_argmax(outputs.row(row), legal_masks.row(row))
                       : sample_softmax(outputs.row(row), legal_masks.row(row), policy.temperature, streams[row]);
}

/// Each row draws its component, then the rows of one component act together.
void choose_by_mixture(const Policy& policy, MatrixView<const float> information_states,
                       MatrixView<const std::uint8_t> legal_masks, std::span<Stream> streams,
                       std::span<std::int32_t> actions) {
  const std::size_t num_rows = legal_masks.rows;
  std::vector<std::size_t> component(num_rows);
  for (std::size_t row = 0; row < num_rows; ++row)
    component[row] = sample_categorical(policy.weights, streams[row].next_double());
  std::vector<float> inputs;
  std::vector<std::uint8_t> masks;
  std::vector<Stream> component_streams;
  std::vector<std::size_t> rows;
  std::vector<std::int32_t> chosen;
  PolicyWorkspace workspace;
  for (std::size_t c = 0; c < policy.components.size(); ++c) {
    inputs.clear(), masks.clear(), component_streams.clear(), rows.clear();
    for (std::size_t row = 0; row < num_rows; ++row) {
      if (component[row] != c) continue;
      rows.push_back(row);
      if (information_states.columns > 0)
        inputs.insert(inputs.end(), information_states.row(row).begin(), information_states.row(row).end());
      masks.insert(masks.end(), legal_masks.row(row).begin(), legal_masks.row(row).end());
      component_streams.push_back(streams[row]);
    }
    if (rows.empty()) continue;
    chosen.resize(rows.size());
    choose_actions(policy.components[c], {inputs.data(), rows.size(), information_states.columns},
                   {masks.data(), rows.size(), legal_masks.columns}, component_streams, chosen, workspace);
    for (std::size_t i = 0; i < rows.size(); ++i) {
      actions[rows[i]] = chosen[i];
      streams[rows[i]] = component_streams[i];
    }
  }
}

}  // namespace

PolicyTable::PolicyTable(MatrixView<const float> information_states, MatrixView<const double> probabilities)
    : information_state_size_(information_states.columns),
      num_actions_(probabilities.columns),
      information_states_(information_states.data,
                          information_states.data + information_states.rows * information_states.columns),
      probabilities_(probabilities.data, probabilities.data + probabilities.rows * probabilities.columns),
      order_(information_states.rows) {
  check(probabilities.rows == order_.size(), "policy: probabilities of a table must have ", order_.size(),
        " rows, got ", probabilities.rows);
  check(information_state_size_ >= 1 && num_actions_ >= 1,
        "policy: information_states and probabilities of a table must have a column or more");
  check(std::ranges::all_of(information_states_, [](float value) { return std::isfinite(value); }),
        "policy: information_states of a table must be finite");
  check(std::ranges::all_of(probabilities_, [](double value) { return value >= 0.0 && std::isfinite(value); }),
        "policy: probabilities of a table must be finite and nonnegative");
  std::iota(order_.begin(), order_.end(), std::size_t{0});
  const auto values = [this](std::size_t row) { return information_state(row); };
  std::ranges::sort(order_, std::ranges::lexicographical_compare, values);
  const auto twice = std::ranges::adjacent_find(order_, std::ranges::equal, values);
  if (twice != order_.end())
    check(false, "policy: information_states of a table must have no two rows alike, got rows ",
          std::min(twice[0], twice[1]), " and ", std::max(twice[0], twice[1]));
}

std::span<const double> PolicyTable::find(std::span<const float> information_state) const {
  const auto place = std::ranges::lower_bound(order_, information_state, std::ranges::lexicographical_compare,
                                              [this](std::size_t row) { return this->information_state(row); });
  if (place == order_.end() || !std::ranges::equal(this->information_state(*place), information_state)) return {};
  return std::span(probabilities_).subspan(*place * num_actions_, num_actions_);
}

bool looks_at_information_states(const Policy& policy) {
  return policy.kind == Policy::Kind::mixture ? std::ranges::any_of(policy.components, looks_at_information_states)
                                              : policy.kind != Policy::Kind::uniform_random;
}

void check_policy(const Policy& policy, std::size_t information_state_size, std::size_t num_actions) {
  if (policy.network != nullptr) {
    check(policy.network->input_size() == information_state_size, "policy: network must take information states of ",
          information_state_size, " features, got a network of ", policy.network->input_size(), " inputs");
    check(policy.network->output_size() == num_actions, "policy: network must have ", num_actions,
          " outputs, one an action, got ", policy.network->output_size());
  }
  if (policy.table != nullptr)
    check(
        policy.table->information_state_size() == information_state_size && policy.table->num_actions() == num_actions,
        "policy: table must be of information states of ", information_state_size, " features and ", num_actions,
        " actions, got one of ", policy.table->information_state_size(), " and ", policy.table->num_actions());
  for (const Policy& component : policy.components) check_policy(component, information_state_size, num_actions);
}

std::int32_t masked_argmax(std::span<const float> values, std::span<const std::uint8_t> mask) {
  std::int32_t best = -1;
  float best_value = 0.0f;
  for (std::size_t action = 0; action < mask.size(); ++action) {
    if (!mask[action]) continue;
    // A NaN held as best gives way to any number, and never replaces one.
    if (best < 0 || values[action] > best_value || (std::isnan(best_value) && !std::isnan(values[action]))) {
      best = static_cast<std::int32_t>(action);
      best_value = values[action];
    }
  }
  return best;
}

std::int32_t nth_legal(std::span<const std::uint8_t> mask, std::uint32_t rank) {
  for (std::size_t first = 0; first < mask.size(); first += 8) {
    std::uint64_t word = load_word(mask, first);
    const auto count = static_cast<std::uint32_t>(std::popcount(word));
    if (rank >= count) {
      rank -= count;
      continue;
    }
    for (; rank > 0; --rank) word &= word - 1;
    return static_cast<std::int32_t>(first + static_cast<std::size_t>(std::countr_zero(word)) / 8);
  }
  return -1;
}

void choose_actions(const Policy& policy, MatrixView<const float> information_states,
                    MatrixView<const std::uint8_t> legal_masks, std::span<Stream> streams,
                    std::span<std::int32_t> actions, PolicyWorkspace& workspace) {
  switch (policy.kind) {
    case Policy::Kind::uniform_random:
      for (std::size_t row = 0; row < legal_masks.rows; ++row)
        actions[row] = sample_uniform(legal_masks.row(row), streams[row]);
      return;
    case Policy::Kind::greedy:
    case Policy::Kind::softmax:
      choose_by_network(policy, information_states, legal_masks, streams, actions, workspace);
      return;
    case Policy::Kind::table:
      choose_by_table(*policy.table, information_states, legal_masks, streams, actions);
      return;
    case Policy::Kind::mixture:
      choose_by_mixture(policy, information_states, legal_masks, streams, actions);
      return;
  }
}

void PolicyRows::choose(std::span<const Policy> policies, std::span<PolicyRow> movers,
                        MatrixView<const float> information_states, MatrixView<const std::uint8_t> legal_masks,
                        const std::function<Stream(std::size_t row)>& stream_of, std::span<std::int32_t> actions) {
  std::ranges::sort(movers);
  for (auto first = movers.begin(); first != movers.end();) {
    const auto last =
        std::find_if(first, movers.end(), [&](const PolicyRow& one) { return one.policy != first->policy; });
    information_states_.clear(), legal_masks_.clear(), streams_.clear();
    for (auto mover = first; mover != last; ++mover) {
      const auto features = information_states.row(mover->row);
      const auto mask = legal_masks.row(mover->row);
      information_states_.insert(information_states_.end(), features.begin(), features.end());
      legal_masks_.insert(legal_masks_.end(), mask.begin(), mask.end());
      streams_.push_back(stream_of(mover->row));
    }
    const std::size_t count = streams_.size();
    chosen_.resize(count);
    choose_actions(policies[first->policy], {information_states_.data(), count, information_states.columns},
                   {legal_masks_.data(), count, legal_masks.columns}, streams_, chosen_, workspace_);
    for (std::size_t i = 0; i < count; ++i) actions[first[static_cast<std::ptrdiff_t>(i)].row] = chosen_[i];
    first = last;
  }
}

}  // namespace coffee_fast
