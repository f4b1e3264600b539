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

# moescope_plugin(ID SOURCES... VIEW_SOURCES... LINK...)  a built-in plug-in: the target plugin_ID, linked with the
# program, and the shared object plugin_ID_shared of the same objects. VIEW_SOURCES are left out where there is no
# window; MOESCOPE_HAS_GUI says which.
function(moescope_plugin id)
  cmake_parse_arguments(arg "" "" "SOURCES;VIEW_SOURCES;LINK" ${ARGN})
  set(sources ${arg_SOURCES})
  set(link ${arg_LINK})
  if(MOESCOPE_GUI AND arg_VIEW_SOURCES)
    list(APPEND sources ${arg_VIEW_SOURCES})
    list(APPEND link moescope_views)
  endif()
  moescope_library(plugin_${id} SOURCES ${sources} PUBLIC moescope_plugin ${link})
  if(MOESCOPE_GUI AND arg_VIEW_SOURCES)
    set_target_properties(plugin_${id} PROPERTIES AUTOMOC ON)
    target_compile_definitions(plugin_${id} PRIVATE MOESCOPE_HAS_GUI)
  endif()
  set_property(GLOBAL APPEND PROPERTY MOESCOPE_PLUGINS ${id})

  # What it uses of the program is found in the program that opens it.
  add_library(plugin_${id}_shared MODULE $<TARGET_OBJECTS:plugin_${id}>)
  set_target_properties(plugin_${id}_shared PROPERTIES LINKER_LANGUAGE CXX PREFIX "" OUTPUT_NAME ${id}
    LIBRARY_OUTPUT_DIRECTORY ${MOESCOPE_SHARED_PLUGINS}/${id})
  configure_file(${CMAKE_CURRENT_SOURCE_DIR}/plugin.json ${MOESCOPE_SHARED_PLUGINS}/${id}/plugin.json COPYONLY)
  if(BUILD_SHARED_PLUGINS)
    install(TARGETS plugin_${id}_shared LIBRARY DESTINATION lib/moescope/plugins/${id})
    install(FILES plugin.json DESTINATION lib/moescope/plugins/${id})
  endif()
endfunction()

# moescope_plugin_program(NAME [WITHOUT_VIEWS])  a program that opens plug-ins: it holds all of the libraries that they
# may use, and shows them its symbols, so that program and plug-ins share one copy.
function(moescope_plugin_program name)
  cmake_parse_arguments(arg "WITHOUT_VIEWS" "" "" ${ARGN})
  set(libraries moescope_base moescope_checkpoint moescope_steering moescope_trace moescope_analysis
    moescope_figure moescope_plugin moescope_engine_api)
  if(MOESCOPE_GUI AND NOT arg_WITHOUT_VIEWS)
    list(APPEND libraries moescope_views)
  endif()
  target_link_libraries(${name} PRIVATE ${libraries})
  # Once, whole; where the linker meets them again it needs nothing more of them.
  list(TRANSFORM libraries REPLACE "(.+)" "$<TARGET_FILE:\\1>" OUTPUT_VARIABLE archives)
  target_link_options(${name} PRIVATE "LINKER:--push-state,--whole-archive" ${archives} "LINKER:--pop-state")
  set_target_properties(${name} PROPERTIES ENABLE_EXPORTS ON)
endfunction()
