moescope_test(tst_apply_plan TIER core SOURCES unit/tst_apply_plan.cpp LINK moescope_steering)
moescope_test(tst_steering_program TIER core SOURCES unit/tst_steering_program.cpp LINK moescope_steering)
moescope_test(tst_router_math TIER core SOURCES unit/tst_router_math.cpp LINK moescope_steering)
