moescope_test(tst_series_figures TIER core SOURCES unit/tst_series_figures.cpp LINK moescope_figure)
moescope_test(tst_specialization_figures TIER core SOURCES unit/tst_specialization_figures.cpp LINK moescope_figure)
