// SPDX-License-Identifier: Apache-2.0
//
// The samplers' factories: what a row of the table in registry.cpp points to.
//
// A new sampler is one file with its class (final, hidden) and its factory, a declaration here, and
// a row there. Factories are called with a known name, checked options and a sound space.
#pragma once

#include <memory>
#include <span>
#include <string>

#include "hdrive/sampler.h"
#include "sampling/conditions.h"

namespace hdrive::sampling {

using MadeSampler = Result<std::shared_ptr<Sampler>>;
using SamplerFactory = MadeSampler (*)(const AlgorithmSpec& spec, const SearchSpace& space,
                                       const SamplerContext& context);

MadeSampler make_random(const AlgorithmSpec& spec, const SearchSpace& space,
                        const SamplerContext& context);
MadeSampler make_grid(const AlgorithmSpec& spec, const SearchSpace& space,
                      const SamplerContext& context);
MadeSampler make_sobol(const AlgorithmSpec& spec, const SearchSpace& space,
                       const SamplerContext& context);
MadeSampler make_latin_hypercube(const AlgorithmSpec& spec, const SearchSpace& space,
                                 const SamplerContext& context);

MadeSampler make_tpe(const AlgorithmSpec& spec, const SearchSpace& space,
                     const SamplerContext& context);

MadeSampler make_cmaes(const AlgorithmSpec& spec, const SearchSpace& space,
                       const SamplerContext& context);
MadeSampler make_auto(const AlgorithmSpec& spec, const SearchSpace& space,
                      const SamplerContext& context);

/// How many runs fill the space before a model chooses: max(10, min(2 parameters, budget / 4)).
RunId initial_runs(std::size_t parameters, std::int64_t budget);

/// "6 parameters", "6 parameters, 2 of them conditional".
std::string parameters_text(const SearchSpace& space);

/// "incumbent run 7 with 0.25", for the reasons of proposals.
std::string incumbent_text(const History& history);

/// The set of a point of the unit cube: `decode`, parameter by parameter. The coordinate of one
/// that does not exist there goes unused.
Assignment decode_all(const Conditions& conditions, std::span<const double> unit);

MadeSampler make_bayesian(const AlgorithmSpec& spec, const SearchSpace& space,
                          const SamplerContext& context);

}  // namespace hdrive::sampling
