if(TARGET moescope_engine)
  moescope_test(tst_golden_capacity TIER engine SOURCES golden/tst_golden_capacity.cpp LINK moescope_generation)
  add_dependencies(tst_golden_capacity moescope_engine)
endif()
