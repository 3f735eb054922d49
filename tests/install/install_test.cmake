# SPDX-License-Identifier: Apache-2.0
#
# cmake -DBUILD=... -DOUTSIDE=... -DWORK=... -DGENERATOR=... -DCXX=... -P install_test.cmake
#
# Installs the built tree into an empty prefix, then configures, builds and runs a program that knows only
# that prefix.
cmake_minimum_required(VERSION 3.25)

function(step what)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE result OUTPUT_VARIABLE output ERROR_VARIABLE output)
  if(NOT result EQUAL 0)
    message(FATAL_ERROR "${what} failed (${result}):\n${output}")
  endif()
  message(STATUS "${what}: done")
endfunction()

file(REMOVE_RECURSE ${WORK})
step("install" ${CMAKE_COMMAND} --install ${BUILD} --prefix ${WORK}/prefix)
step("configure the outside program"
     ${CMAKE_COMMAND} -G ${GENERATOR} -S ${OUTSIDE} -B ${WORK}/build -DCMAKE_PREFIX_PATH=${WORK}/prefix
     -DCMAKE_CXX_COMPILER=${CXX} -DCMAKE_CXX_FLAGS=${FLAGS} -DCMAKE_BUILD_TYPE=Debug)
step("build the outside program" ${CMAKE_COMMAND} --build ${WORK}/build)
step("run the outside program" ${WORK}/build/outside)
if(EXISTS ${WORK}/prefix/bin/hdrive)
  step("run the installed command" ${WORK}/prefix/bin/hdrive version)
elseif(COMMAND_WANTED)
  message(FATAL_ERROR "bin/hdrive was not installed")
endif()
file(GLOB headers RELATIVE ${WORK}/prefix/include ${WORK}/prefix/include/*)
if(NOT headers STREQUAL "hdrive")
  message(FATAL_ERROR "include/ should hold hdrive/ alone, but holds: ${headers}")
endif()
