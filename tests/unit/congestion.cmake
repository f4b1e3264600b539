foreach(name tst_congestion_equilibrium tst_congestion_fit tst_congestion_types tst_bootstrap tst_phase_segmentation
    tst_congestion_series tst_load_series)
  moescope_test(${name} TIER core SOURCES unit/${name}.cpp LINK moescope_analysis)
endforeach()
moescope_test(tst_series_analyses TIER core SOURCES unit/tst_series_analyses.cpp
  LINK moescope_analysis trace_fixture plugin_congestion_fit plugin_load_balance)
