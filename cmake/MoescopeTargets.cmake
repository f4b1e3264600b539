# moescope_library(NAME SOURCES... LINK...)  static library with the project's flags.
function(moescope_library name)
  cmake_parse_arguments(arg "" "" "SOURCES;PUBLIC;PRIVATE" ${ARGN})
  add_library(${name} STATIC ${arg_SOURCES})
  target_link_libraries(${name} PUBLIC moescope_flags ${arg_PUBLIC} PRIVATE ${arg_PRIVATE})
endfunction()

# moescope_test(NAME TIER t SOURCES... LINK...)  a QtTest program and its ctest entry.
# Tiers: core (no display), widgets (offscreen), canvas (Xvfb), engine (LibTorch), cli, crash, figure.
function(moescope_test name)
  cmake_parse_arguments(arg "" "TIER;TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT arg_TIER)
    message(FATAL_ERROR "moescope_test(${name}): TIER is missing")
  endif()
  if(NOT arg_TIMEOUT)
    set(arg_TIMEOUT 120)
  endif()
  add_executable(${name} ${arg_SOURCES})
  set_target_properties(${name} PROPERTIES AUTOMOC ON
    RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(${name} PRIVATE moescope_flags Qt6::Test ${arg_LINK})
  target_compile_definitions(${name} PRIVATE
    MOESCOPE_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data"
    MOESCOPE_RESOURCES="${CMAKE_SOURCE_DIR}/resources"
    MOESCOPE_BUILD_DIR="${CMAKE_BINARY_DIR}")
  if(arg_TIER STREQUAL "canvas")
    add_test(NAME ${name} COMMAND ${CMAKE_SOURCE_DIR}/tests/support/with_display $<TARGET_FILE:${name}>)
  else()
    add_test(NAME ${name} COMMAND ${name})
  endif()
  set_tests_properties(${name} PROPERTIES LABELS ${arg_TIER} TIMEOUT ${arg_TIMEOUT})
  if(arg_TIER STREQUAL "widgets" OR arg_TIER STREQUAL "figure")
    set_tests_properties(${name} PROPERTIES ENVIRONMENT "QT_QPA_PLATFORM=offscreen")
  endif()
endfunction()

# moescope_plugin(ID SOURCES... LINK...)  a built-in plug-in: the target plugin_ID, linked statically.
function(moescope_plugin id)
  cmake_parse_arguments(arg "" "" "SOURCES;LINK" ${ARGN})
  moescope_library(plugin_${id} SOURCES ${arg_SOURCES} PUBLIC moescope_plugin ${arg_LINK})
  set_property(GLOBAL APPEND PROPERTY MOESCOPE_PLUGINS ${id})
endfunction()
