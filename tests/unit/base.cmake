moescope_test(tst_half TIER core SOURCES unit/tst_half.cpp LINK moescope_base)
moescope_test(tst_strict_json TIER core SOURCES unit/tst_strict_json.cpp LINK moescope_base)
