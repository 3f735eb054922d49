// SPDX-License-Identifier: Apache-2.0
//
// The samplers' rows, and what several samplers say and count alike.
//
// A new sampler is one file, sampling/NAME.cpp, with its class (final, hidden) and its row at the
// end, and one line in samplers.inc. A row's `make` is called with checked options and a sound space.
#pragma once

#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "hdrive/algorithm_table.h"
#include "hdrive/sampler.h"
#include "sampling/conditions.h"
#include "sampling/encoding.h"

namespace hdrive::sampling {

using MadeSampler = Result<std::shared_ptr<Sampler>>;
using SamplerTable = AlgorithmTable<MadeSampler (*)(
    const Options& options, const SearchSpace& space, const SamplerContext& context)>;

#define SAMPLER(name) SamplerTable::Row name##_row();
#include "sampling/samplers.inc"
#undef SAMPLER

/// How many runs fill the space before a model chooses: ten; or, where parameters have levels, which
/// a model would not all try soon, two a parameter within a quarter of the budget. Of a budget below
/// thirty a third, and at least three. `budget` 0: as many as wanted.
RunId initial_runs(const SearchSpace& space, std::int64_t budget);

/// How many of the runs taken over from earlier sweeps tell a model of this space something: they
/// belong to it and have a value. They count towards the initial runs.
RunId instructive_earlier_runs(const History& history, const Encoding& encoding);

/// "6 parameters", "6 parameters, 2 of them conditional".
std::string parameters_text(const SearchSpace& space);

/// "incumbent run 7 with 0.25", for the reasons of proposals.
std::string incumbent_text(const History& history);

/// The sampler that auto chose for the run's proposal, as that says; nothing where auto made none.
std::string_view chosen_by_auto(const Run& run);

/// The set of a point of the unit cube: `decode`, parameter by parameter. The coordinate of one
/// that does not exist there goes unused.
Assignment decode_all(const Conditions& conditions, std::span<const double> unit);

}  // namespace hdrive::sampling
