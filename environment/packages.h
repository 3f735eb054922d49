// SPDX-License-Identifier: Apache-2.0
//
// Lists of packages: conda's way of naming them and pip's. Pure but for files of requirements that
// a list names.
#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "hdrive/environment.h"

namespace hdrive::environment {

/// One package as conda writes it: "conda-forge::numpy=1.19=py37_0".
struct CondaPackage {
  std::string name;       ///< in lower case, without its channel
  std::string condition;  ///< as pip writes it, "==1.19.*"; empty: any version
};
/// Fails where the text is no such thing.
Result<CondaPackage> parse_conda_package(std::string_view text);

/// A list in pip's terms.
struct Requirements {
  std::string python;                 ///< the version that is wanted, "3.8"; empty: any
  std::vector<std::string> lines;     ///< of a requirements.txt, files that they name written out
  std::vector<std::string> left_out;  ///< what nothing here needs, as it was written
};
/// Conda's packages under pip's names; what is no Python package is left out where its like comes
/// with the others, else an Error that names it.
Result<Requirements> pip_requirements(const PythonPackages& packages);

/// The lists for a conda tool: the same without what nothing here needs.
struct CondaLists {
  std::vector<std::string> conda, pip, left_out;
};
Result<CondaLists> conda_lists(const PythonPackages& packages);

}  // namespace hdrive::environment
