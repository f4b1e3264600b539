add_executable(bench_store bench/bench_store.cpp)
set_target_properties(bench_store PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
target_link_libraries(bench_store PRIVATE moescope_trace)
