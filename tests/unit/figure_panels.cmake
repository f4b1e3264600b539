if(MOESCOPE_GUI)
  moescope_test(tst_figure_panels TIER figure SOURCES unit/tst_figure_panels.cpp LINK moescope_views)
  moescope_test(tst_figure_view TIER widgets SOURCES models/tst_figure_view.cpp LINK moescope_views)
endif()
