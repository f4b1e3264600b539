# Plug-ins: the host and its wrappers, the program with built-in plug-ins as shared objects, and the tutorial of
# docs/plugins.md followed word by word against an installed copy.
find_package(Python3 REQUIRED COMPONENTS Interpreter)
moescope_test(tst_analysis_result TIER core SOURCES unit/tst_analysis_result.cpp LINK moescope_analysis)
moescope_test(tst_latex_table TIER core SOURCES unit/tst_latex_table.cpp LINK moescope_figure)

# moescope_test_plugin(ID FOLDER SOURCE)  FOLDER/ID/ID.so with the plugin.json that lies beside the source.
function(moescope_test_plugin id folder source)
  add_library(${id}_module MODULE ${source})
  target_link_libraries(${id}_module PRIVATE moescope_flags nlohmann_json::nlohmann_json tl::expected ${ARGN})
  set_target_properties(${id}_module PROPERTIES PREFIX "" OUTPUT_NAME ${id} LIBRARY_OUTPUT_DIRECTORY ${folder}/${id})
  get_filename_component(beside ${source} DIRECTORY)
  configure_file(${beside}/plugin.json ${folder}/${id}/plugin.json COPYONLY)
endfunction()
set(testPlugins ${CMAKE_BINARY_DIR}/test_plugins)
set(samplePlugins ${CMAKE_BINARY_DIR}/sample_plugins)
moescope_test_plugin(test_plugin ${testPlugins} ${CMAKE_CURRENT_SOURCE_DIR}/plugins/test_plugin/test_plugin.cpp)
moescope_test_plugin(no_entry ${testPlugins} ${CMAKE_CURRENT_SOURCE_DIR}/plugins/no_entry/no_entry.cpp)

foreach(name tst_plugin_host tst_analysis_runner)
  moescope_test(${name} TIER core SOURCES plugins/${name}.cpp LINK moescope_plugin trace_fixture)
  moescope_plugin_program(${name} WITHOUT_VIEWS)
  target_compile_definitions(${name} PRIVATE MOESCOPE_TEST_PLUGINS="${testPlugins}")
  add_dependencies(${name} test_plugin_module no_entry_module)
endforeach()

if(MOESCOPE_GUI)
  moescope_test_plugin(sample_view ${samplePlugins} ${CMAKE_SOURCE_DIR}/plugins/sample_view/sample_view.cpp Qt6::Widgets)
  moescope_test(tst_analysis_dialog TIER widgets SOURCES plugins/tst_analysis_dialog.cpp LINK moescope_views trace_fixture)
  moescope_test(tst_plugin_dock TIER widgets SOURCES plugins/tst_plugin_dock.cpp
    ${CMAKE_SOURCE_DIR}/app/window/plugin_dock.cpp ${CMAKE_SOURCE_DIR}/app/window/dock_title.cpp
    ${CMAKE_SOURCE_DIR}/app/window/guarded_application.cpp ${CMAKE_SOURCE_DIR}/app/window/plugins_dialog.cpp
    LINK moescope_views trace_fixture)
  foreach(name tst_analysis_dialog tst_plugin_dock)
    moescope_plugin_program(${name})
    target_compile_definitions(${name} PRIVATE MOESCOPE_TEST_PLUGINS="${testPlugins}" MOESCOPE_SAMPLE_PLUGINS="${samplePlugins}")
    add_dependencies(${name} test_plugin_module no_entry_module sample_view_module)
  endforeach()
endif()

set(environment "MOESCOPE_PROGRAM=$<TARGET_FILE:moescope>;MOESCOPE_TEST_PLUGINS=${testPlugins}")
add_test(NAME cli_analyze COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/cli/test_analyze.py)
set_tests_properties(cli_analyze PROPERTIES LABELS cli TIMEOUT 180 ENVIRONMENT "${environment}")
# The program as BUILD_SHARED_PLUGINS=ON makes it: the same objects, and the built-in plug-ins where it looks for them.
if(NOT BUILD_SHARED_PLUGINS)
  add_executable(moescope_shared_plugins $<TARGET_OBJECTS:moescope>)
  set_target_properties(moescope_shared_plugins PROPERTIES LINKER_LANGUAGE CXX OUTPUT_NAME moescope
    RUNTIME_OUTPUT_DIRECTORY ${MOESCOPE_SHARED_PLUGINS}/../../../bin)
  target_link_libraries(moescope_shared_plugins PRIVATE moescope_generation moescope_chat moescope_figure moescope_no_built_in)
  moescope_plugin_program(moescope_shared_plugins)
  get_property(builtIn GLOBAL PROPERTY MOESCOPE_PLUGINS)
  list(TRANSFORM builtIn REPLACE "(.+)" "plugin_\\1_shared")
  add_dependencies(moescope_shared_plugins ${builtIn})
  add_test(NAME plugins_shared COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/plugins/test_shared_plugins.py)
  set_tests_properties(plugins_shared PROPERTIES LABELS cli TIMEOUT 180
    ENVIRONMENT "${environment};MOESCOPE_SHARED_PROGRAM=$<TARGET_FILE:moescope_shared_plugins>")
endif()
if(MOESCOPE_GUI)
  add_test(NAME plugins_tutorial COMMAND Python3::Interpreter ${CMAKE_SOURCE_DIR}/tests/plugins/test_tutorial.py)
  set_tests_properties(plugins_tutorial PROPERTIES LABELS cli TIMEOUT 600
    ENVIRONMENT "${environment};MOESCOPE_BUILD=${CMAKE_BINARY_DIR};MOESCOPE_DOCK_TEST=$<TARGET_FILE:tst_plugin_dock>")
endif()
