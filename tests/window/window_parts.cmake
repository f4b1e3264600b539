if(MOESCOPE_GUI)
  moescope_test(tst_dock_tabs TIER widgets
    SOURCES window/tst_dock_tabs.cpp ${CMAKE_SOURCE_DIR}/app/window/dock_tabs.cpp ${CMAKE_SOURCE_DIR}/app/window/dock_tabs.h
    LINK moescope_views)
  set(settingsParts)
  foreach(part settings_dialog load_options_form workspace)
    list(APPEND settingsParts ${CMAKE_SOURCE_DIR}/app/window/${part}.cpp ${CMAKE_SOURCE_DIR}/app/window/${part}.h)
  endforeach()
  moescope_test(tst_settings_dialog TIER widgets
    SOURCES window/tst_settings_dialog.cpp ${settingsParts} ${CMAKE_SOURCE_DIR}/app/resource_folder.cpp LINK moescope_views)
  target_compile_definitions(tst_settings_dialog PRIVATE MOESCOPE_SOURCE_RESOURCES="${CMAKE_SOURCE_DIR}/resources")
  moescope_test(tst_window_status_bar TIER widgets
    SOURCES window/tst_window_status_bar.cpp ${CMAKE_SOURCE_DIR}/app/window/window_status_bar.cpp
            ${CMAKE_SOURCE_DIR}/app/window/window_status_bar.h
    LINK view_bench)
endif()
