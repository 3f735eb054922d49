# SPDX-License-Identifier: Apache-2.0
# Third-party libraries, all from the system's packages (scripts/lib.sh installs them). Each is used in
# the folders that name it and in no public header.
find_package(Threads REQUIRED)
find_package(fmt REQUIRED)
find_package(yaml-cpp REQUIRED)
find_package(Boost 1.74 REQUIRED)
find_package(Eigen3 3.4 REQUIRED)
find_package(nlohmann_json REQUIRED)
find_package(SQLite3 REQUIRED)
find_package(TBB REQUIRED)
find_package(PkgConfig REQUIRED)
pkg_check_modules(re2 REQUIRED IMPORTED_TARGET re2)

# yaml-cpp before 0.8 has no namespaced target.
if(TARGET yaml-cpp::yaml-cpp)
  set(HDRIVE_YAML_CPP yaml-cpp::yaml-cpp)
else()
  set(HDRIVE_YAML_CPP yaml-cpp)
endif()
