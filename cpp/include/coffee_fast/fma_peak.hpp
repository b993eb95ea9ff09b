#pragma once

namespace coffee_fast {

/// The multiply-add peak of active_isa() on one core in GFLOP/s, against which benches quote their share: independent
/// chains that touch no memory, run again and again for `duration_s` seconds; the best run counts, so that a busy
/// machine disturbs it little. `portable` multiplies and adds separately.
double measure_fma_peak(double duration_s = 0.05);

}  // namespace coffee_fast
