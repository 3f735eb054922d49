# SPDX-License-Identifier: Apache-2.0
# `cmake --install`: the library, its headers, the command, and the package files of find_package(hdrive).
include(CMakePackageConfigHelpers)
set(package_folder ${CMAKE_INSTALL_LIBDIR}/cmake/hdrive)

# A static library hands on what it links, but nobody needs what is only headers inside of it.
get_target_property(handed_on hdrive INTERFACE_LINK_LIBRARIES)
list(FILTER handed_on EXCLUDE REGEX "nlohmann_json|Boost::headers|Eigen3::Eigen")
set_target_properties(hdrive PROPERTIES INTERFACE_LINK_LIBRARIES "${handed_on}")

install(TARGETS hdrive EXPORT hdriveTargets
        ARCHIVE DESTINATION ${CMAKE_INSTALL_LIBDIR}
        LIBRARY DESTINATION ${CMAKE_INSTALL_LIBDIR})
install(DIRECTORY include/hdrive DESTINATION ${CMAKE_INSTALL_INCLUDEDIR} FILES_MATCHING PATTERN "*.h")
install(EXPORT hdriveTargets NAMESPACE hdrive:: DESTINATION ${package_folder})
configure_package_config_file(cmake/hdriveConfig.cmake.in ${PROJECT_BINARY_DIR}/hdriveConfig.cmake
                              INSTALL_DESTINATION ${package_folder})
# Before 1.0 a minor version may change the interface.
write_basic_package_version_file(${PROJECT_BINARY_DIR}/hdriveConfigVersion.cmake
                                 COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/hdriveConfig.cmake ${PROJECT_BINARY_DIR}/hdriveConfigVersion.cmake
        DESTINATION ${package_folder})

if(TARGET hdrive_command)
  if(BUILD_SHARED_LIBS)
    file(RELATIVE_PATH library_from_command ${CMAKE_INSTALL_FULL_BINDIR} ${CMAKE_INSTALL_FULL_LIBDIR})
    set_target_properties(hdrive_command PROPERTIES INSTALL_RPATH "$ORIGIN/${library_from_command}")
  endif()
  install(TARGETS hdrive_command RUNTIME DESTINATION ${CMAKE_INSTALL_BINDIR})
  # The manual page is the command's own text, so it cannot be out of date.
  add_custom_command(
    OUTPUT ${PROJECT_BINARY_DIR}/hdrive.1
    COMMAND hdrive_command man > ${PROJECT_BINARY_DIR}/hdrive.1
    DEPENDS hdrive_command VERBATIM)
  add_custom_target(hdrive_manual ALL DEPENDS ${PROJECT_BINARY_DIR}/hdrive.1)
  install(FILES ${PROJECT_BINARY_DIR}/hdrive.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
  # So are the JSON Schemas, for editors.
  set(schemas ${PROJECT_BINARY_DIR}/hdconfig.schema.json ${PROJECT_BINARY_DIR}/sweep-job.schema.json)
  add_custom_command(
    OUTPUT ${schemas}
    COMMAND hdrive_command config-reference --schema > ${PROJECT_BINARY_DIR}/hdconfig.schema.json
    COMMAND hdrive_command config-reference --schema --jobs > ${PROJECT_BINARY_DIR}/sweep-job.schema.json
    DEPENDS hdrive_command VERBATIM)
  add_custom_target(hdrive_schemas ALL DEPENDS ${schemas})
  install(FILES ${schemas} DESTINATION ${CMAKE_INSTALL_DATADIR}/hdrive)
endif()
