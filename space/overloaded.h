// SPDX-License-Identifier: Apache-2.0
//
// Overloaded: one visitor made of a lambda for each alternative of a variant.
#pragma once

namespace hdrive::space {

template <class... Visitors>
struct Overloaded : Visitors... {
  using Visitors::operator()...;
};
template <class... Visitors>
Overloaded(Visitors...) -> Overloaded<Visitors...>;

}  // namespace hdrive::space
