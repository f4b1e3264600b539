add_library(trace_fixture STATIC unit/trace_fixture.cpp)
target_link_libraries(trace_fixture PUBLIC moescope_trace Qt6::Test)
moescope_test(tst_trace_store TIER core SOURCES unit/tst_trace_store.cpp LINK trace_fixture)
