moescope_test(tst_load_metrics TIER core SOURCES unit/tst_load_metrics.cpp LINK moescope_analysis)
moescope_test(tst_colour_map TIER core SOURCES unit/tst_colour_map.cpp LINK moescope_figure)
moescope_test(tst_ticks TIER core SOURCES unit/tst_ticks.cpp LINK moescope_figure)
moescope_test(tst_figure_spec TIER core SOURCES unit/tst_figure_spec.cpp LINK moescope_figure)
