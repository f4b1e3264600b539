if(MOESCOPE_GUI)
  moescope_test(tst_export_dialog TIER figure SOURCES models/tst_export_dialog.cpp LINK moescope_views)
  moescope_test(tst_figure_writer TIER figure SOURCES unit/tst_figure_writer.cpp LINK moescope_views)
endif()
