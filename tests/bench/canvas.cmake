# Not a test: measures and prints. tests/support/with_display BUILD/tests/bench_canvas
if(MOESCOPE_GUI)
  add_executable(bench_canvas EXCLUDE_FROM_ALL bench/bench_canvas.cpp)
  set_target_properties(bench_canvas PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
  target_link_libraries(bench_canvas PRIVATE moescope_views routing_trace Qt6::Test)
  target_compile_definitions(bench_canvas PRIVATE MOESCOPE_RESOURCES="${CMAKE_SOURCE_DIR}/resources")
endif()
