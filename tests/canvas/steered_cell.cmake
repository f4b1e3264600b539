if(MOESCOPE_GUI)
  moescope_test(tst_steered_cell TIER widgets SOURCES canvas/tst_steered_cell.cpp LINK view_bench)
endif()
