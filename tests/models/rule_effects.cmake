if(MOESCOPE_GUI)
  moescope_test(tst_run_rules TIER widgets SOURCES models/tst_run_rules.cpp LINK view_bench)
endif()
