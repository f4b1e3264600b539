foreach(test tst_cross_layer tst_languages tst_locality tst_router_scores)
  moescope_test(${test} TIER core SOURCES unit/${test}.cpp LINK moescope_analysis)
endforeach()
