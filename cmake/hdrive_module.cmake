# SPDX-License-Identifier: Apache-2.0

# Warnings, sanitizers: the same for everything built here.
function(hdrive_compile_options target)
  # Some libraries ask for -pthread and some don't; headers parsed once need all files to be compiled alike.
  target_compile_options(${target} PRIVATE -pthread -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                           -Woverloaded-virtual -Wno-missing-field-initializers)
  # g++ 12 sees ghosts in the standard library's strings and optionals once it inlines or instruments
  # all of them.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND (HDRIVE_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL Release))
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized -Wno-array-bounds
                                             -Wno-stringop-overflow -Wno-stringop-overread)
  endif()
  if(HDRIVE_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(HDRIVE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${HDRIVE_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${HDRIVE_SANITIZE})
    # Half of what a sanitized build takes went into optimising the checks within CHECK(...); the code under test
    # keeps all of it.
    if(HDRIVE_IS_TEST_CODE)
      target_compile_options(${target} PRIVATE -O0 -fno-sanitize=undefined)
    endif()
  endif()
endfunction()

# hdrive_headers(NAME [LIBRARIES target...] [AND header...]): parses the headers that nearly every file needs, and
# those named, once for all targets that take them from NAME, which halves what the compiler spends on headers.
# A file still includes what it uses: the presets fuzz and tidy do without. ccache needs
# sloppiness = pch_defines,time_macros for them (scripts/lib.sh sees to that).
function(hdrive_headers name)
  cmake_parse_arguments(ARG "" "" "LIBRARIES;AND" ${ARGN})
  add_library(${name} OBJECT ${PROJECT_SOURCE_DIR}/cmake/headers.cpp)
  target_link_libraries(${name} PRIVATE fmt::fmt ${ARG_LIBRARIES})
  target_precompile_headers(
    ${name} PRIVATE <algorithm> <chrono> <cmath> <cstdint> <deque> <filesystem> <functional> <map> <memory>
    <optional> <set> <span> <stop_token> <string> <string_view> <unordered_map> <utility> <variant> <vector>
    <fmt/format.h> ${ARG_AND})
  hdrive_compile_options(${name})
endfunction()

# hdrive_take_headers(TARGET NAME): the target is compiled with the headers parsed as NAME.
function(hdrive_take_headers target name)
  # Code for a program and for a library would differ otherwise.
  set_target_properties(${target} PROPERTIES POSITION_INDEPENDENT_CODE OFF)
  target_compile_options(${target} PRIVATE -fPIC)
  target_precompile_headers(${target} REUSE_FROM ${name})
endfunction()

# hdrive_several_at_once(TARGET): with HDRIVE_UNITY_BUILD six files are compiled as one, which halves the time. Names
# in their unnamed namespaces have to differ then; the preset fuzz compiles each file by itself, so that none
# relies on what another includes.
function(hdrive_several_at_once target)
  if(HDRIVE_UNITY_BUILD)
    set_target_properties(${target} PROPERTIES UNITY_BUILD ON UNITY_BUILD_BATCH_SIZE 6)
    # g++ takes unnamed namespaces of a file that another includes for those of a header.
    target_compile_options(${target} PRIVATE $<$<CXX_COMPILER_ID:GNU>:-Wno-subobject-linkage>)
  endif()
endfunction()

# hdrive_one_by_one(FILE...): files that are alike on purpose, each with the same names.
function(hdrive_one_by_one)
  set_source_files_properties(${ARGN} PROPERTIES SKIP_UNITY_BUILD_INCLUSION ON)
endfunction()

# hdrive_module(NAME SOURCES file... [LIBRARIES target...] [PUBLIC_IN_TESTS])
#
# One folder of the library as an object library `hdrive_NAME`. It sees include/ and the top of the tree
# (for "base/..." and its own "NAME/..."), and LIBRARIES. `hdrive_library` collects the modules.
function(hdrive_module name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  set(target hdrive_${name})
  add_library(${target} OBJECT ${ARG_SOURCES})
  target_include_directories(${target} PRIVATE ${PROJECT_SOURCE_DIR}/include ${PROJECT_SOURCE_DIR})
  target_link_libraries(${target} PRIVATE ${ARG_LIBRARIES} fmt::fmt Threads::Threads)
  target_compile_definitions(${target} PRIVATE HDRIVE_VERSION="${PROJECT_VERSION}")
  hdrive_compile_options(${target})
  hdrive_take_headers(${target} hdrive_common_headers)
  hdrive_several_at_once(${target})
  set_property(GLOBAL APPEND PROPERTY HDRIVE_MODULES ${target})
  set_property(GLOBAL APPEND PROPERTY HDRIVE_MODULE_LIBRARIES ${ARG_LIBRARIES} fmt::fmt)
endfunction()

# hdrive_rows(OUT FILE): the sources NAME.cpp of the lines KIND(NAME) in FILE, a list of rows that C++ includes too.
function(hdrive_rows out file)
  file(STRINGS ${file} rows REGEX "^[A-Z]+\\([a-z0-9_]+\\)$")
  list(TRANSFORM rows REPLACE "^[A-Z]+\\((.*)\\)$" "\\1.cpp")
  set_property(DIRECTORY APPEND PROPERTY CMAKE_CONFIGURE_DEPENDS ${file})
  set(${out} ${rows} PARENT_SCOPE)
endfunction()

# The library `hdrive::hdrive` of all modules.
function(hdrive_library)
  get_property(modules GLOBAL PROPERTY HDRIVE_MODULES)
  get_property(libraries GLOBAL PROPERTY HDRIVE_MODULE_LIBRARIES)
  list(REMOVE_DUPLICATES libraries)
  set(objects)
  foreach(module IN LISTS modules)
    list(APPEND objects $<TARGET_OBJECTS:${module}>)
  endforeach()
  add_library(hdrive ${objects})
  add_library(hdrive::hdrive ALIAS hdrive)
  set_target_properties(hdrive PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
                                          LINKER_LANGUAGE CXX)
  target_compile_features(hdrive PUBLIC cxx_std_20)
  target_include_directories(hdrive PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include>
                                           $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)
  target_link_libraries(hdrive PRIVATE ${libraries} PUBLIC Threads::Threads)
  if(HDRIVE_SANITIZE)
    target_link_options(hdrive PUBLIC -fsanitize=${HDRIVE_SANITIZE})
  endif()
endfunction()

# hdrive_executable(NAME SOURCES file... [LIBRARIES target...]): a program linked to the library.
function(hdrive_executable name)
  cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
  add_executable(${name} ${ARG_SOURCES})
  target_include_directories(${name} PRIVATE ${PROJECT_SOURCE_DIR})
  target_link_libraries(${name} PRIVATE hdrive::hdrive ${ARG_LIBRARIES})
  target_compile_definitions(${name} PRIVATE HDRIVE_VERSION="${PROJECT_VERSION}")
  hdrive_compile_options(${name})
endfunction()
