moescope_test(tst_trace_series TIER core SOURCES unit/tst_trace_series.cpp LINK trace_fixture)
