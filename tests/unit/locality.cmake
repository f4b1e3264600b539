foreach(test tst_cross_layer tst_languages tst_locality tst_router_scores)
  moescope_test(${test} TIER core SOURCES unit/${test}.cpp LINK moescope_analysis)
endforeach()
moescope_test(tst_locality_plugins TIER core SOURCES unit/tst_locality_plugins.cpp
  LINK plugin_locality plugin_cross_layer plugin_languages plugin_router_scores)
moescope_test(tst_router_coupling TIER core SOURCES unit/tst_router_coupling.cpp LINK plugin_coupling)
moescope_test(tst_demo_locality TIER core SOURCES unit/tst_demo_locality.cpp
  LINK plugin_locality plugin_cross_layer plugin_languages)
