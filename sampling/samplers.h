// SPDX-License-Identifier: Apache-2.0
//
// The samplers' factories: what a row of the table in registry.cpp points to.
//
// A new sampler is one file with its class (final, hidden) and its factory, a declaration here, and a row
// there. Factories are called with a known name, checked options and a sound space.
#pragma once

#include <memory>

#include "hdrive/sampler.h"

namespace hdrive::sampling {

using MadeSampler = Result<std::shared_ptr<Sampler>>;
using SamplerFactory = MadeSampler (*)(const AlgorithmSpec& spec, const SearchSpace& space,
                                       const SamplerContext& context);

MadeSampler make_random(const AlgorithmSpec& spec, const SearchSpace& space,
                        const SamplerContext& context);
MadeSampler make_grid(const AlgorithmSpec& spec, const SearchSpace& space,
                      const SamplerContext& context);

MadeSampler make_bayesian(const AlgorithmSpec& spec, const SearchSpace& space,
                          const SamplerContext& context);

}  // namespace hdrive::sampling
