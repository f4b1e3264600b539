# What a plug-in is built against: public headers and the package moescope-config.cmake.
foreach(folder base trace checkpoint steering analysis figure plugin)
  install(DIRECTORY core/${folder}/ DESTINATION include/moescope/core/${folder} FILES_MATCHING PATTERN "*.h")
endforeach()
install(DIRECTORY core/engine/api/ DESTINATION include/moescope/core/engine/api FILES_MATCHING PATTERN "*.h")
if(MOESCOPE_GUI)
  install(DIRECTORY views/api/ DESTINATION include/moescope/views/api FILES_MATCHING PATTERN "*.h")
endif()
include(CMakePackageConfigHelpers)
configure_package_config_file(cmake/moescope-config.cmake.in moescope-config.cmake
  INSTALL_DESTINATION lib/cmake/moescope)
write_basic_package_version_file(moescope-config-version.cmake COMPATIBILITY ExactVersion)
install(FILES ${CMAKE_BINARY_DIR}/moescope-config.cmake ${CMAKE_BINARY_DIR}/moescope-config-version.cmake
  DESTINATION lib/cmake/moescope)
