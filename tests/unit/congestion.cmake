foreach(name tst_congestion_equilibrium tst_congestion_fit tst_congestion_types tst_bootstrap tst_phase_segmentation
    tst_congestion_series tst_load_series)
  moescope_test(${name} TIER core SOURCES unit/${name}.cpp LINK moescope_analysis)
endforeach()
add_library(series_fixture STATIC unit/series_fixture.cpp)
target_link_libraries(series_fixture PUBLIC moescope_analysis trace_fixture plugin_congestion_fit plugin_load_balance)
foreach(name tst_load_balance_series tst_congestion_of_series tst_series_input)
  moescope_test(${name} TIER core SOURCES unit/${name}.cpp LINK series_fixture)
endforeach()
