# SPDX-License-Identifier: Apache-2.0

# Warnings, sanitizers: the same for everything built here.
function(hdrive_compile_options target)
  target_compile_options(${target} PRIVATE -Wall -Wextra -Wpedantic -Wshadow -Wnon-virtual-dtor
                                           -Woverloaded-virtual -Wno-missing-field-initializers)
  # g++ 12 sees ghosts in the standard library's strings and optionals once it inlines or instruments
  # all of them.
  if(CMAKE_CXX_COMPILER_ID STREQUAL GNU AND (HDRIVE_SANITIZE OR CMAKE_BUILD_TYPE STREQUAL Release))
    target_compile_options(${target} PRIVATE -Wno-restrict -Wno-maybe-uninitialized)
  endif()
  if(HDRIVE_WERROR)
    target_compile_options(${target} PRIVATE -Werror)
  endif()
  if(HDRIVE_SANITIZE)
    target_compile_options(${target} PRIVATE -fsanitize=${HDRIVE_SANITIZE} -fno-omit-frame-pointer
                                             -fno-sanitize-recover=all)
    target_link_options(${target} PUBLIC -fsanitize=${HDRIVE_SANITIZE})
  endif()
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
  target_link_libraries(${target} PRIVATE ${ARG_LIBRARIES} Threads::Threads)
  target_compile_definitions(${target} PRIVATE HDRIVE_VERSION="${PROJECT_VERSION}")
  hdrive_compile_options(${target})
  set_property(GLOBAL APPEND PROPERTY HDRIVE_MODULES ${target})
  set_property(GLOBAL APPEND PROPERTY HDRIVE_MODULE_LIBRARIES ${ARG_LIBRARIES})
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
