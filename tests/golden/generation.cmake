if(TARGET moescope_engine)
  moescope_test(tst_golden_generation TIER engine SOURCES golden/tst_golden_generation.cpp support/run_dump.cpp
    LINK moescope_generation)
  add_dependencies(tst_golden_generation moescope_engine)
endif()
