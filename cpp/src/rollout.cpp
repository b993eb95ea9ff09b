#include "coffee_fast/rollout.hpp"

#include <cmath>

namespace coffee_fast {

void Trajectories::append(const Trajectories& more) {
  const auto extend = [](auto& target, const auto& source) {
    target.insert(target.end(), source.begin(), source.end());
  };
  const std::int64_t num_steps = offsets.back();
  for (std::size_t episode = 1; episode < more.offsets.size(); ++episode)
    offsets.push_back(num_steps + more.offsets[episode]);
  extend(states, more.states);
  extend(observations, more.observations);
  extend(actions, more.actions);
  extend(players, more.players);
  extend(legal_masks, more.legal_masks);
  extend(rewards, more.rewards);
  extend(next_states, more.next_states);
  extend(terminal, more.terminal);
}

void check_players(std::span<const PolicyMixture> players, std::size_t num_players, std::size_t information_state_size,
                   std::size_t num_actions) {
  check(players.size() == num_players, "policies must name one strategy a player, ", num_players, " in all, got ",
        players.size());
  for (const PolicyMixture& mixture : players) {
    check(!mixture.policies.empty(), "policies: a player must have a policy to play");
    check(mixture.policies.size() == mixture.probabilities.size(), "policies: a mixture must have one probability a ",
          "policy, ", mixture.policies.size(), " in all, got ", mixture.probabilities.size());
    double sum = 0.0;
    for (const double probability : mixture.probabilities) {
      check(probability >= 0.0, "policies: probabilities must be nonnegative, got ", probability);
      sum += probability;
    }
    check(std::abs(sum - 1.0) <= 1e-6, "policies: probabilities must sum to 1, got ", sum);
    for (const Policy& policy : mixture.policies) check_policy(policy, information_state_size, num_actions);
  }
}

}  // namespace coffee_fast
