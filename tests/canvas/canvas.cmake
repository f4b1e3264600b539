if(MOESCOPE_GUI)
  moescope_test(tst_canvas TIER canvas SOURCES canvas/tst_canvas.cpp LINK moescope_views)
  # The same tests where a logical pixel is not a device pixel.
  foreach(scale 1.5 2)
    add_test(NAME tst_canvas_scale_${scale} COMMAND ${CMAKE_SOURCE_DIR}/tests/support/with_display $<TARGET_FILE:tst_canvas>)
    set_tests_properties(tst_canvas_scale_${scale} PROPERTIES LABELS canvas TIMEOUT 120 ENVIRONMENT "QT_SCALE_FACTOR=${scale}")
  endforeach()
endif()
