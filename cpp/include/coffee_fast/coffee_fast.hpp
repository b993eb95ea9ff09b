#pragma once

/// Everything an embedding program needs: `find_package(coffee_fast)`, link `coffee_fast::coffee_fast`, include this.

#include "coffee_fast/aligned.hpp"
#include "coffee_fast/cancel.hpp"
#include "coffee_fast/check.hpp"
#include "coffee_fast/deviation.hpp"
#include "coffee_fast/dynamics.hpp"
#include "coffee_fast/error.hpp"
#include "coffee_fast/isa.hpp"
#include "coffee_fast/mlp.hpp"
#include "coffee_fast/parallel.hpp"
#include "coffee_fast/payoff_table.hpp"
#include "coffee_fast/policy.hpp"
#include "coffee_fast/profile_index.hpp"
#include "coffee_fast/replicator.hpp"
#include "coffee_fast/rng.hpp"
#include "coffee_fast/simplex.hpp"
#include "coffee_fast/tensor_view.hpp"
#include "coffee_fast/version.hpp"
