# Specialization, co-activation and stability: toy vectors, bad input, and values that numpy computed.
add_library(routing_vectors STATIC unit/routing_vectors.cpp)
target_link_libraries(routing_vectors PUBLIC moescope_analysis Qt6::Test)
target_compile_definitions(routing_vectors PRIVATE MOESCOPE_TEST_DATA="${CMAKE_SOURCE_DIR}/tests/data")
moescope_test(tst_token_labels TIER core SOURCES unit/tst_token_labels.cpp LINK routing_vectors)
moescope_test(tst_specialization TIER core SOURCES unit/tst_specialization.cpp LINK routing_vectors plugin_specialization)
moescope_test(tst_vocabulary TIER core SOURCES unit/tst_vocabulary.cpp LINK routing_vectors plugin_specialization)
moescope_test(tst_co_activation TIER core SOURCES unit/tst_co_activation.cpp LINK routing_vectors plugin_co_activation)
moescope_test(tst_demo_routing TIER core SOURCES unit/tst_demo_routing.cpp
  LINK routing_vectors plugin_specialization plugin_co_activation plugin_stability)
moescope_test(tst_routing_stability TIER core SOURCES unit/tst_routing_stability.cpp LINK routing_vectors plugin_stability)
