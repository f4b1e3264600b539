if(MOESCOPE_GUI)
  foreach(name specialization co_activation)
    moescope_test(tst_${name}_panel TIER widgets SOURCES models/tst_${name}_panel.cpp support/panel_bench.h
      LINK view_bench moescope_built_in)
  endforeach()
endif()
