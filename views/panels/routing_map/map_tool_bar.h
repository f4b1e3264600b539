// MapToolBar: the choices over a routing map: mode, value, layer or window, sort, zoom, fit, follow.
// Not for what they do.
#pragma once

#include <QWidget>

#include "views/panels/routing_map/map_settings.h"

class QButtonGroup;
class QComboBox;
class QToolButton;

namespace moescope::views {

/// GUI thread only.
class MapToolBar : public QWidget {
  Q_OBJECT

 public:
  explicit MapToolBar(QWidget* parent = nullptr);

  void setRouters(const std::vector<RouterSpec>& routers);
  /// Values that this capture level lacks are disabled; phases too where a run has only one.
  void setRun(trace::CaptureLevel capture, bool hasPhases, bool live);
  void setSettings(const MapSettings& settings);
  void setLive(bool live);
  void setFollowing(bool on);
  void setSelectionEmpty(bool empty);

  /// Narrower than the layout's: buttons then show their icons only.
  [[nodiscard]] QSize minimumSizeHint() const override;

 Q_SIGNALS:
  void settingsChanged(const MapSettings& settings);
  void sortRequested(bool byLoad);
  void zoomRequested(double factor);
  void fitRequested();
  void followToggled(bool on);

 protected:
  void resizeEvent(QResizeEvent* event) override;

 private:
  QToolButton* addMode(const QString& text, MapMode mode);
  QToolButton* addButton(const char* icon, const QString& text, const QString& toolTip);
  void fillValues();
  void fillWindows();
  void choose();
  void enableValues();

  MapSettings m_settings;
  trace::CaptureLevel m_capture = trace::CaptureLevel::Full;
  QButtonGroup* m_modes;
  QComboBox *m_layer, *m_value, *m_window, *m_sort;
  QWidget* m_sortLabel;
  QToolButton *m_fit, *m_follow;
};

}  // namespace moescope::views
