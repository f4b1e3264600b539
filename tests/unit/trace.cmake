add_library(trace_fixture STATIC unit/trace_fixture.cpp unit/trace_fixture_expected.cpp unit/trace_fixture_compare.cpp)
target_link_libraries(trace_fixture PUBLIC moescope_trace Qt6::Test nlohmann_json::nlohmann_json)
target_compile_definitions(trace_fixture PUBLIC MOESCOPE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
foreach(name tst_trace_store tst_trace_file tst_trace_sql tst_trace_bad_files tst_trace_unwritable tst_trace_check tst_trace_writer tst_trace_runs
    tst_trace_summaries tst_row_kernels)
  moescope_test(${name} TIER core SOURCES unit/${name}.cpp LINK trace_fixture)
endforeach()
moescope_test(tst_query_cli TIER cli SOURCES unit/tst_query_cli.cpp LINK trace_fixture)
add_dependencies(tst_query_cli moescope)
