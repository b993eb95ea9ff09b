#include "coffee_fast/generalized_bargaining.hpp"

#include <algorithm>
#include <cmath>
#include <numeric>

#include "coffee_fast/check.hpp"
#include "coffee_fast/rng.hpp"

namespace coffee_fast {
namespace {

constexpr std::size_t num_types = GeneralizedBargaining::num_item_types;
constexpr std::int32_t min_pool = 5, max_pool = 7, max_of_a_type = 5;
constexpr double min_valuation = 1.0, min_valuations = 5.0, max_valuations = 10.0;

using Items = GeneralizedBargaining::Items;
using Valuations = GeneralizedBargaining::Valuations;

bool is_part_of(const Items& offer, const Items& pool) {
  return offer[0] <= pool[0] && offer[1] <= pool[1] && offer[2] <= pool[2];
}

/// All vectors of `lowest` to 5 items a type whose total lies in [min_total, max_pool], in lexicographic order.
std::vector<Items> enumerate(std::int32_t lowest, std::int32_t min_total) {
  std::vector<Items> all;
  for (std::int32_t i = lowest; i <= max_of_a_type; ++i)
    for (std::int32_t j = lowest; j <= max_of_a_type; ++j)
      for (std::int32_t k = lowest; k <= max_of_a_type; ++k)
        if (i + j + k >= min_total && i + j + k <= max_pool) all.push_back({i, j, k});
  return all;
}

const std::vector<Items>& all_pools() {
  static const std::vector<Items> pools = enumerate(1, min_pool);
  return pools;
}

/// Uniform on the polytope. The gaps that three sorted uniform numbers leave are uniform among the nonnegative vectors
/// of sum 1 or less; so scaled, what each type is worth above the least is uniform up to the largest sum, and only the
/// 2 % of draws below the least sum are drawn again.
Valuations draw_valuations(Stream& stream) {
  constexpr double slack = max_valuations - num_types * min_valuation;
  for (;;) {
    double a = stream.next_double(), b = stream.next_double(), c = stream.next_double();
    if (a > b) std::swap(a, b);
    if (b > c) std::swap(b, c);
    if (a > b) std::swap(a, b);
    const Valuations valuations{min_valuation + slack * a, min_valuation + slack * (b - a),
                                min_valuation + slack * (c - b)};
    const double sum = valuations[0] + valuations[1] + valuations[2];
    if (sum >= min_valuations && sum <= max_valuations) return valuations;
  }
}

double value(const Valuations& valuations, const Items& items) {
  return valuations[0] * items[0] + valuations[1] * items[1] + valuations[2] * items[2];
}

}  // namespace

GeneralizedBargaining::GeneralizedBargaining(const Options& options) : options_(options), offers_(enumerate(0, 0)) {
  check(options.discount > 0.0 && options.discount <= 1.0, "generalized_bargaining: discount must lie in (0, 1], got ",
        options.discount);
  if (options.offers == Offers::feasible)
    std::erase_if(offers_, [](const Items& offer) {
      return std::ranges::none_of(all_pools(), [&](const Items& pool) { return is_part_of(offer, pool); });
    });
  for (const Items& pool : all_pools())
    for (const std::uint8_t can_accept : {0, 1}) {
      legal_starts_.push_back(legal_actions_.size());
      for (const Items& offer : offers_) legal_masks_.push_back(is_part_of(offer, pool));
      legal_masks_.push_back(can_accept);
      for (std::int32_t action = 0; action <= accept_action(); ++action)
        if (*(legal_masks_.end() - accept_action() - 1 + action)) legal_actions_.push_back(action);
    }
  legal_starts_.push_back(legal_actions_.size());
  powers_[0] = 1.0;
  for (std::size_t n = 1; n < powers_.size(); ++n) powers_[n] = powers_[n - 1] * options.discount;
}

std::span<const Items> GeneralizedBargaining::pools() { return all_pools(); }

GeneralizedBargaining::Episode GeneralizedBargaining::draw(const EpisodeKey& key) const {
  Stream stream(key.seed, Purpose::initial_state, key.profile, key.rollout);
  Episode episode;
  episode.pool_index = static_cast<std::uint8_t>(stream.next_below(static_cast<std::uint32_t>(pools().size())));
  episode.first_player = static_cast<std::uint8_t>(stream.next_below(2));
  for (Valuations& valuations : episode.valuations) valuations = draw_valuations(stream);
  return episode;
}

GeneralizedBargaining::Episode GeneralizedBargaining::make(const Items& pool,
                                                           const std::array<Valuations, 2>& valuations,
                                                           std::int32_t first_player) const {
  Episode episode;
  const auto found = std::ranges::find(all_pools(), pool);
  check(found != all_pools().end(), "new_state: pool must have 1 or more items of each type and 5 to 7 in all, got (",
        pool[0], ", ", pool[1], ", ", pool[2], ")");
  for (std::size_t player = 0; player < 2; ++player) {
    const Valuations& v = valuations[player];
    const double sum = v[0] + v[1] + v[2];
    const bool is_inside = std::ranges::all_of(v, [](double entry) { return entry >= min_valuation; }) &&
                           sum >= min_valuations && sum <= max_valuations;
    check(is_inside, "new_state: valuations of player ", player, " must be 1 or more each and sum to 5 to 10, got (",
          v[0], ", ", v[1], ", ", v[2], ")");
  }
  check(first_player == 0 || first_player == 1, "new_state: first_player must be 0 or 1, got ", first_player);
  episode.pool_index = static_cast<std::uint8_t>(found - all_pools().begin());
  episode.valuations = valuations;
  episode.first_player = static_cast<std::uint8_t>(first_player);
  return episode;
}

std::span<const std::uint8_t> GeneralizedBargaining::legal_mask(const Episode& episode) const {
  return {legal_masks_.data() + legal_row(episode) * num_actions(), num_actions()};
}

std::span<const std::int32_t> GeneralizedBargaining::legal_actions(const Episode& episode) const {
  const std::size_t row = legal_row(episode), first = legal_starts_[row];
  return {legal_actions_.data() + first, legal_starts_[row + 1] - first};
}

void GeneralizedBargaining::apply(Episode& episode, std::int32_t action) const {
  if (action == accept_action()) {
    episode.has_deal = episode.is_over = true;
    return;
  }
  episode.offers[episode.num_offers++] = static_cast<std::uint8_t>(action);
  episode.is_over = episode.num_offers == max_offers;
}

std::array<double, 2> GeneralizedBargaining::returns(const Episode& episode) const {
  if (!episode.has_deal) return {0.0, 0.0};
  const Items &pool = episode.pool(), &kept = last_offer(episode);
  const Items left{pool[0] - kept[0], pool[1] - kept[1], pool[2] - kept[2]};
  const auto acceptor = static_cast<std::size_t>(episode.player_to_act());
  const double power = powers_[episode.num_offers];
  std::array<double, 2> payoffs;
  payoffs[acceptor] = power * value(episode.valuations[acceptor], left);
  payoffs[1 - acceptor] = power * value(episode.valuations[1 - acceptor], kept);
  return payoffs;
}

void GeneralizedBargaining::observation(const Episode& episode, std::int32_t player, std::span<float> out) const {
  const Items last = episode.num_offers == 0 ? Items{} : last_offer(episode);
  out[0] = episode.has_deal;
  out[1] = episode.num_offers;
  for (std::size_t i = 0; i < num_types; ++i) {
    out[2 + i] = static_cast<float>(episode.pool()[i]);
    out[5 + i] = static_cast<float>(episode.valuations[static_cast<std::size_t>(player)][i]);
    out[8 + i] = static_cast<float>(last[i]);
  }
}

void GeneralizedBargaining::information_state(const Episode& episode, std::int32_t player, std::span<float> out) const {
  observation(episode, player, out.first(observation_size()));
  for (std::size_t n = 0; n < max_offers; ++n) {
    const Items offer = n < episode.num_offers ? offers_[episode.offers[n]] : Items{};
    for (std::size_t i = 0; i < num_types; ++i) out[8 + num_types * n + i] = static_cast<float>(offer[i]);
  }
}

void GeneralizedBargaining::state(const Episode& episode, std::span<float> out) const {
  if (episode.is_over) {
    std::fill(out.begin(), out.end(), -1.0f);
    return;
  }
  observation(episode, 0, out.first(observation_size()));
  for (std::size_t i = 0; i < num_types; ++i) out[11 + i] = static_cast<float>(episode.valuations[1][i]);
  out[14] = static_cast<float>(episode.player_to_act());
}

void GeneralizedBargaining::reset(Batch& batch, std::span<const std::int32_t> lanes,
                                  std::span<const EpisodeKey> keys) const {
  for (std::size_t row = 0; row < lanes.size(); ++row)
    batch.episodes[static_cast<std::size_t>(lanes[row])] = draw(keys[row]);
}

void GeneralizedBargaining::players_to_act(Batch& batch, std::span<const std::int32_t> lanes,
                                           std::span<std::int32_t> players) const {
  for (std::size_t row = 0; row < lanes.size(); ++row)
    players[row] = batch.episodes[static_cast<std::size_t>(lanes[row])].player_to_act();
}

void GeneralizedBargaining::information_states(Batch& batch, std::span<const std::int32_t> lanes,
                                               MatrixView<float> out) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const Episode& episode = batch.episodes[static_cast<std::size_t>(lanes[row])];
    information_state(episode, episode.player_to_act(), out.row(row));
  }
}

void GeneralizedBargaining::legal_masks(Batch& batch, std::span<const std::int32_t> lanes,
                                        MatrixView<std::uint8_t> out) const {
  for (std::size_t row = 0; row < lanes.size(); ++row)
    std::ranges::copy(legal_mask(batch.episodes[static_cast<std::size_t>(lanes[row])]), out.row(row).begin());
}

void GeneralizedBargaining::states(Batch& batch, std::span<const std::int32_t> lanes, MatrixView<float> out) const {
  for (std::size_t row = 0; row < lanes.size(); ++row)
    state(batch.episodes[static_cast<std::size_t>(lanes[row])], out.row(row));
}

void GeneralizedBargaining::observations(Batch& batch, std::span<const std::int32_t> lanes,
                                         MatrixView<float> out) const {
  const std::size_t size = observation_size();
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    const Episode& episode = batch.episodes[static_cast<std::size_t>(lanes[row])];
    observation(episode, 0, out.row(row).first(size));
    observation(episode, 1, out.row(row).subspan(size, size));
  }
}

void GeneralizedBargaining::step(Batch& batch, std::span<const std::int32_t> lanes,
                                 std::span<const std::int32_t> actions, const StepOutputs& outputs) const {
  for (std::size_t row = 0; row < lanes.size(); ++row) {
    Episode& episode = batch.episodes[static_cast<std::size_t>(lanes[row])];
    apply(episode, actions[row]);
    std::ranges::copy(returns(episode), outputs.rewards.row(row).begin());
    outputs.disagreement[row] = 0.0;
    outputs.terminal[row] = episode.is_over;
  }
}

}  // namespace coffee_fast
